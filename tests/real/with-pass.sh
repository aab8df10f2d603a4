#!/bin/bash
# Runs a command with a password store of its own (`pass`, also docker-credential-pass), whose key has no passphrase.
#
#   with-pass.sh CMD [ARG…]
#
# The command gets GNUPGHOME and PASSWORD_STORE_DIR. The exit code is the command's, or 125 where no store could be made.
#
# Debian: apt-get install pass golang-docker-credential-helpers
set -u

# the agent's socket lies there, and its path has at most 107 bytes
tmp=$(mktemp -d /tmp/pass.XXXXXX) || exit 125
export GNUPGHOME=$tmp/gnupg PASSWORD_STORE_DIR=$tmp/store
trap 'gpgconf --kill all > /dev/null 2>&1; rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -m 700 "$GNUPGHOME"
if ! { gpg --batch --quiet --passphrase '' --quick-gen-key tests@oauthctl.invalid rsa2048 encrypt never &&
  pass init tests@oauthctl.invalid; } > "$tmp/log" 2>&1; then
  cat "$tmp/log" >&2
  exit 125
fi
"$@"
