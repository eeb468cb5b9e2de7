#!/usr/bin/env bash
# unpacked.sh PACKAGE: a Debian package's files, unpacked and not installed: no service of it starts on this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
place=${GARAGE_CACHE:-$HOME/.cache/backstage-garage}/unpacked/$1
if [[ ! -f $place/.ready ]]; then
  rm -rf "$place" && mkdir -p "$place"
  # apt's own user may not write here, and says so; the package arrives all the same
  (cd "$place" && { apt-get download -qq "$1" || { apt-get update -qq && apt-get download -qq "$1"; }; }) >&2
  dpkg-deb -x "$place"/*.deb "$place"
  touch "$place/.ready"
fi
echo "$place"
