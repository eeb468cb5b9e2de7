#!/bin/sh
# pebble.sh start [NAME_SERVER] | stop: a certificate authority on this host (Pebble).
# If it is told no name server, it has one of its own, with every name at 127.0.0.1.
set -eu
place=/opt/backstage-pebble
systemctl stop pebble challtest 2>/dev/null || true
systemctl reset-failed pebble challtest 2>/dev/null || true
[ "$1" = start ] || exit 0
mkdir -p "$place" && cd "$place"
if [ ! -f ca.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=authority of tests' \
    -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.pem 2>/dev/null
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout key.pem 2>/dev/null |
    openssl x509 -req -CA ca.pem -CAkey ca.key -days 30 -out cert.pem -extfile /dev/fd/3 3<<EXT 2>/dev/null
subjectAltName=DNS:localhost,IP:127.0.0.1
basicConstraints=CA:FALSE
EXT
fi
cat >pebble.json <<JSON
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "cert.pem",
 "privateKey": "key.pem", "httpPort": 80, "tlsPort": 443, "externalAccountBindingRequired": false,
 "certificateValidityPeriod": 7776000}}
JSON
doh=
pebble-challtestsrv -help 2>&1 | grep -q -- -doh && doh=-doh=
# shellcheck disable=SC2086 # a word, or none
systemd-run -q --unit challtest pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 '' -dns01 127.0.0.1:8053 \
  -http01 '' -https01 '' -tlsalpn01 '' -management 127.0.0.1:8055 $doh
systemd-run -q --unit pebble --working-directory="$place" --setenv=PEBBLE_VA_NOSLEEP=1 --setenv=PEBBLE_WFE_NONCEREJECT=5 \
  --setenv=PEBBLE_AUTHZREUSE=0 pebble -config pebble.json -dnsserver "${2:-127.0.0.1:8053}" -strict
for _ in $(seq 240); do
  curl -sf --cacert ca.pem https://127.0.0.1:14000/dir >/dev/null && break
  sleep .25
done
curl -skf https://127.0.0.1:15000/roots/0 >root.pem
