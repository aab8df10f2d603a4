#!/bin/bash
# Makes the certificates that the tests' https servers show, with openssl, in the folder named.
#   ca.crt        trusted by whoever is given SSL_CERT_FILE=ca.crt, and by nobody else
#   server.*      for localhost, 127.0.0.1 and ::1
#   wronghost.*   signed by the same CA, but for wrong.example alone
#   expired.*     signed by the same CA, ended in 2020
set -euo pipefail
[ $# = 1 ] || { echo "usage: pki.sh FOLDER" >&2; exit 2; }
umask 077
mkdir -p "$1"
cd "$1"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }

key ca
openssl req -x509 -new -key ca.key -subj "/CN=oauthctl tests" -days 30 -out ca.crt \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign

# `openssl ca` and not `openssl x509`, which takes dates from version 3.4 on only
cat > ca.cnf <<'C'
[ca]
default_ca = here
[here]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
C
: > index.txt
echo 01 > serial

sign() { # name, subjectAltName, dates…
  local name=$1 names=$2
  shift 2
  key "$name"
  openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
  openssl ca -batch -notext -config ca.cnf -in "$name.csr" -out "$name.crt" "$@" -extfile <(printf '%s\n' \
    basicConstraints=CA:FALSE keyUsage=digitalSignature extendedKeyUsage=serverAuth "subjectAltName=$names") 2>/dev/null
}
here=DNS:localhost,IP:127.0.0.1,IP:::1
sign server "$here" -days 29
sign wronghost DNS:wrong.example -days 29
sign expired "$here" -startdate 20190101000000Z -enddate 20200101000000Z
rm -f ./*.csr ./*.pem ca.cnf index.txt* serial*
