#!/bin/sh
# Installs the program from an archive that `packaging/make archive` made: `sh install.sh ADDRESS [FOLDER]`.
#
# ADDRESS is where the archives and SHA256SUMS lie (https://…, or a folder of this machine); FOLDER is ~/.local, if no other is
# named: the program goes to its `bin`, the manual page and the completions to its `share`. Nothing is written before the
# archive's checksum is the one in SHA256SUMS. To remove it again: `sh install.sh --remove [FOLDER]`.
set -eu

fail() { echo "install.sh: $1" >&2; exit 1; }

files() { # what is in the archive, and where it belongs
  echo "oauthctl bin/oauthctl 755
completions/oauthctl.1 share/man/man1/oauthctl.1 644
completions/oauthctl.bash share/bash-completion/completions/oauthctl 644
completions/oauthctl.fish share/fish/vendor_completions.d/oauthctl.fish 644
completions/_oauthctl share/zsh/site-functions/_oauthctl 644"
}

fetch() { # ADDRESS FILE
  case $1 in
    https://*) flag="=https";;
    http://127.0.0.1:* | http://localhost:*) flag="=http";; # of this machine
    http://*) fail "\`$1\` is not https: anybody on the way could change both the archive and its checksum";;
    *) cp "$1" "$2" || fail "\`$1\` can't be read"; return;;
  esac
  if command -v curl > /dev/null; then
    curl --fail --silent --show-error --location --proto "$flag" --output "$2" "$1" || fail "\`$1\` can't be fetched"
  else
    fail "\`curl\` is not installed"
  fi
}

if [ "${1-}" = --remove ]; then
  to=${2:-$HOME/.local}
  files | while read -r _ place _; do rm -f "$to/$place"; done
  exit 0
fi
[ $# -gt 0 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0" >&2; exit 2; }
from=${1%/} to=${2:-$HOME/.local}
case $(uname -sm) in
  "Linux x86_64") target=x86_64-unknown-linux-musl;;
  "Linux aarch64") target=aarch64-unknown-linux-musl;;
  *) fail "there is no archive for $(uname -sm): \`cargo install\` builds the program";;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap "exit 130" INT TERM
fetch "$from/SHA256SUMS" "$work/SHA256SUMS"
line=$(grep -E "^[0-9a-f]{64}  oauthctl-[0-9][^/ ]*-$target\.tar\.gz$" "$work/SHA256SUMS") || fail "SHA256SUMS names no archive for $target"
[ "$(echo "$line" | wc -l)" = 1 ] || fail "SHA256SUMS names more than one archive for $target"
archive=${line##* }
fetch "$from/$archive" "$work/$archive"
(cd "$work" && echo "$line" | sha256sum -c > /dev/null 2>&1) || fail "$archive is not the file of SHA256SUMS: nothing is installed"
tar -xzf "$work/$archive" -C "$work"
files | while read -r file place mode; do
  mkdir -p "$to/${place%/*}"
  cp "$work/${archive%.tar.gz}/$file" "$to/$place.new"
  chmod "$mode" "$to/$place.new"
  mv "$to/$place.new" "$to/$place"
done
"$to/bin/oauthctl" --version
case :$PATH: in *":$to/bin:"*) ;; *) echo "$to/bin is not on your PATH";; esac
