#!/usr/bin/env bash
# unpacked.sh PACKAGE: unpack a Debian package without installing it, so that no service starts, and print the path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
place=${GARAGE_CACHE:-$HOME/.cache/backstage-garage}/unpacked/$1
if [[ ! -f $place/.ready ]]; then
  rm -rf "$place" && mkdir -p "$place"
  # apt warns that its own user may not write here, and downloads the package all the same
  (cd "$place" && { apt-get download -qq "$1" || { apt-get update -qq && apt-get download -qq "$1"; }; }) >&2
  dpkg-deb -x "$place"/*.deb "$place"
  touch "$place/.ready"
fi
echo "$place"
