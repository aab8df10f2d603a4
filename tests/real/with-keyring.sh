#!/bin/bash
# Runs a command with a real Secret Service (org.freedesktop.secrets) on a session bus of its own, and cleans up after it.
#
#   with-keyring.sh [STATE] [--keep DIR] [--] CMD [ARG…]
#
#     --real        (the default) gnome-keyring with an unlocked login collection; its password is $KEYRING_PASSWORD, else "rig"
#     --locked      the same collection, with one item in it, then locked; no prompter is there that could unlock it
#     --absent      a session bus on which nobody offers a Secret Service and nothing can be started
#     --no-bus      no session bus at all
#     --frozen      gnome-keyring, stopped in its tracks (SIGSTOP)
#     --kwallet     kwalletd5's Secret Service, on an Xvfb
#     --keepassxc   KeePassXC's Secret Service with an open database, on an Xvfb
#     --keep DIR    keeps the collection in DIR between runs (default: a new temporary one each time)
#
# The command gets OAUTHCTL_TEST_KEYCHAIN (the state: real for every keychain that is open), KEYRING_PID (the daemon), and the
# bus in DBUS_SESSION_BUS_ADDRESS; HOME and the XDG folders but XDG_RUNTIME_DIR are the caller's own. The exit code is the
# command's, or 125 where no keychain came up, or 99 where an open keychain was dead or locked after the command.
#
# Debian: apt-get install gnome-keyring libsecret-tools dbus dbus-bin
#         (--kwallet: libkf5wallet-bin xvfb xdotool; --keepassxc: keepassxc xvfb)
set -u

state=real keep=
while :; do
  case ${1:-} in
    --real|--locked|--absent|--no-bus|--frozen|--kwallet|--keepassxc) state=${1#--}; shift ;;
    --keep) keep=$2; shift 2 ;;
    --) shift; break ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { sed -n '2,21p' "$0" | cut -c3-; exit 2; }

password=${KEYRING_PASSWORD:-rig}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/keyring.XXXXXX") || exit 125
chmod 700 "$tmp"
if [ -n "$keep" ]; then mkdir -p "$keep"; data=$(readlink -f "$keep"); else data=$tmp/data; mkdir "$data"; fi
mkdir "$tmp/run" "$tmp/config" "$tmp/cache" "$tmp/services"
chmod 700 "$tmp/run"

pids=()
cleanup() {
  local p _
  # a stopped process takes no other signal
  for p in "${pids[@]}"; do kill -CONT "$p" 2>/dev/null; kill "$p" 2>/dev/null; done
  for p in "${pids[@]}"; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$p" 2>/dev/null || break; sleep 0.05; done
    kill -9 "$p" 2>/dev/null
  done
  rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "with-keyring: $1 ($state)" >&2
  cat "$tmp"/*.log >&2 2>/dev/null
  exit 125
}

# Becomes a program with folders of its own, so that the caller's are not touched. For the background: $! is the program.
apart() {
  exec env XDG_DATA_HOME="$data" XDG_CONFIG_HOME="$tmp/config" XDG_CACHE_HOME="$tmp/cache" "$@"
}

start_bus() {
  # a bus that can start nothing by itself: what answers on it is only what this script started
  cat > "$tmp/bus.conf" <<XML
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=$tmp/run/bus</listen>
  <servicedir>$tmp/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
XML
  dbus-daemon --config-file="$tmp/bus.conf" --nofork --nopidfile --nosyslog 2>"$tmp/bus.log" &
  pids+=($!)
  export DBUS_SESSION_BUS_ADDRESS=unix:path=$tmp/run/bus
  for _ in $(seq 200); do [ -S "$tmp/run/bus" ] && return; sleep 0.02; done
  fail "no session bus came up"
}

start_display() {
  # -displayfd lets Xvfb choose a free number
  mkfifo "$tmp/display"
  Xvfb -displayfd 8 -screen 0 800x600x24 -nolisten tcp 8>"$tmp/display" 2>"$tmp/xvfb.log" &
  pids+=($!)
  read -r number < "$tmp/display" || fail "no display came up"
  export DISPLAY=:$number
}

ask() { dbus-send --session --print-reply --dest=org.freedesktop.secrets "$@"; }

await_service() {
  for _ in $(seq 300); do
    dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
      string:org.freedesktop.secrets 2>/dev/null | grep -q 'boolean true' && return
    sleep 0.02
  done
  fail "no Secret Service came up"
}

is_unlocked() {
  local default
  default=$(ask --print-reply=literal /org/freedesktop/secrets org.freedesktop.Secret.Service.ReadAlias string:default 2>/dev/null)
  ask "${default// /}" org.freedesktop.DBus.Properties.Get string:org.freedesktop.Secret.Collection string:Locked 2>/dev/null |
    grep -q 'boolean false'
}

await_unlocked() {
  for _ in $(seq 300); do is_unlocked && return; sleep 0.03; done
  fail "the default collection stays locked"
}

start_gnome_keyring() {
  # --unlock reads the password from stdin, makes the login collection if there is none, and unlocks it
  printf %s "$password" | apart gnome-keyring-daemon --foreground --unlock --components=secrets \
    --control-directory="$tmp/run/keyring" >"$tmp/keyring.log" 2>&1 &
  pids+=($!)
  await_service
  for _ in $(seq 200); do [ -s "$data/keyrings/login.keyring" ] && break; sleep 0.02; done
  # or libsecret would ask (with a window) for a new default collection
  ask /org/freedesktop/secrets org.freedesktop.Secret.Service.SetAlias \
    string:default objpath:/org/freedesktop/secrets/collection/login >/dev/null || fail "the login collection is no default"
  await_unlocked
}

start_kwallet() {
  cat > "$tmp/config/kwalletrc" <<INI
[Wallet]
Enabled=true
First Use=false
Use One Wallet=true
Default Wallet=kdewallet
Prompt on Open=false
[org.freedesktop.secrets]
apiEnabled=true
INI
  start_display
  apart kwalletd5 >"$tmp/kwallet.log" 2>&1 &
  pids+=($!)
  await_service
  # a first secret makes kwalletd5 ask for a new wallet with its wizard: classic format, password twice
  ( printf warm | timeout 20 secret-tool store --label=warm-up service warm-up ) &
  local first=$!
  for _ in $(seq 100); do
    [ -n "$(xdotool search --onlyvisible --class kwalletd5 2>/dev/null)" ] && break
    sleep 0.1
  done
  sleep 0.7; xdotool mousemove 250 247 click 1
  sleep 0.4; xdotool mousemove 502 416 click 1
  sleep 1.2; xdotool type "$password"; xdotool key Tab; xdotool type "$password"
  sleep 0.3; xdotool key Return
  wait $first || fail "kwalletd5's wizard was not passed"
  secret-tool clear service warm-up
}

start_keepassxc() {
  start_display
  local db=$data/test.kdbx uuid hex group
  if [ ! -s "$db" ]; then
    # a database whose root group is exposed to the Secret Service (what one ticks in its settings)
    uuid=$(head -c16 /dev/urandom | base64)
    hex=$(printf %s "$uuid" | base64 -d | od -An -tx1 | tr -d ' \n')
    group="{${hex:0:8}-${hex:8:4}-${hex:12:4}-${hex:16:4}-${hex:20:12}}"
    cat > "$tmp/database.xml" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile>
  <Meta><Generator>test</Generator><DatabaseName>test</DatabaseName>
    <CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>$group</Value></Item></CustomData></Meta>
  <Root><Group><UUID>$uuid</UUID><Name>Root</Name></Group></Root>
</KeePassFile>
XML
    printf '%s\n%s\n' "$password" "$password" |
      keepassxc-cli import -q -p -t 100 "$tmp/database.xml" "$db" >"$tmp/import.log" 2>&1 || fail "no database could be made"
  fi
  mkdir -p "$tmp/config/keepassxc"
  cat > "$tmp/config/keepassxc/keepassxc.ini" <<INI
[General]
ConfigVersion=2
UpdateCheckMessageShown=true
SingleInstance=false
[GUI]
CheckForUpdates=false
[FdoSecrets]
Enabled=true
ConfirmAccessItem=false
ConfirmDeleteItem=false
UnlockBeforeSearch=false
ShowNotification=false
INI
  printf '%s\n' "$password" | apart keepassxc --config "$tmp/config/keepassxc/keepassxc.ini" \
    --localconfig "$tmp/config/keepassxc/local.ini" --pw-stdin "$db" >"$tmp/keepassxc.log" 2>&1 &
  pids+=($!)
  await_service
  await_unlocked
}

export XDG_RUNTIME_DIR=$tmp/run
export OAUTHCTL_TEST_KEYCHAIN=$state
unset DBUS_SESSION_BUS_ADDRESS
case $state in
  no-bus) : ;;
  absent) start_bus ;;
  real|locked|frozen)
    start_bus
    start_gnome_keyring
    if [ "$state" = locked ]; then
      printf s3cret | secret-tool store --label="locked item" service test-locked || fail "nothing could be stored"
      ask /org/freedesktop/secrets org.freedesktop.Secret.Service.Lock \
        array:objpath:/org/freedesktop/secrets/collection/login >/dev/null || fail "the collection could not be locked"
    fi ;;
  kwallet|keepassxc)
    OAUTHCTL_TEST_KEYCHAIN=real
    start_bus
    "start_$state" ;;
esac
export KEYRING_PID=
[ ${#pids[@]} -gt 0 ] && KEYRING_PID=${pids[-1]}
[ "$state" = frozen ] && kill -STOP "$KEYRING_PID"

"$@"
code=$?

# what was open must have lived through the command, or a passed command proves less than it seems to
if [ "$OAUTHCTL_TEST_KEYCHAIN" = real ] && ! { kill -0 "$KEYRING_PID" 2>/dev/null && is_unlocked; }; then
  echo "with-keyring: the keychain did not survive the command ($state)" >&2
  cat "$tmp"/*.log >&2
  exit 99
fi
exit $code
