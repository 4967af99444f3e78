#!/bin/sh
# Makes what compose.yaml mounts from secrets/: a database password, the signing key, the managers' certificate with its CA,
# and a certificate for gateways that clients on this machine can try. Needs OpenSSL 1.1.1 or 3.
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
  echo 'prepare.sh: secrets/ is there already, and nothing was changed' >&2
  exit 1
fi
umask 077
mkdir secrets secrets/manager-tls secrets/gateway-tls
cd secrets

password=$(openssl rand -hex 24)
printf '%s' "$password" >database-password
printf 'postgres://mtls_policy:%s@postgres:5432/mtls_policy' "$password" >database-url

openssl genpkey -algorithm ed25519 -out signing-key
openssl pkey -in signing-key -pubout -out signing-key.pub

# NAME FILE ALTERNATIVES: a key and a certificate of the CA below.
issue() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
    -keyout "$2.key" -out request.pem 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n' "$3" >extensions
  openssl x509 -req -in request.pem -CA manager-ca.pem -CAkey ca.key -CAcreateserial -days 397 \
    -extfile extensions -out "$2.pem" 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1096 -subj '/CN=mtls-policy servers' \
  -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign \
  -keyout ca.key -out manager-ca.pem 2>/dev/null
issue manager manager-tls/manager DNS:manager,DNS:localhost,IP:127.0.0.1
issue gateway gateway-tls/gateway DNS:localhost,IP:127.0.0.1
# Nobody can issue by it again: for other certificates, take a CA of yours.
rm -f ca.key request.pem extensions ./*.srl

# The containers' user is another one than yours. The folder keeps everybody else out; Docker mounts what is in it.
chmod -R go+rX .
chmod 700 .
echo 'prepare.sh: secrets/ is ready'
