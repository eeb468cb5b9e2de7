#!/usr/bin/env bash
# screenshots.sh [ADDRESS]: take pictures of the example's pages with Chromium, for the documentation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
address=${1:-127.0.0.1}
scripts/apt-missing.sh chromium fonts-dejavu-core
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
mkdir -p docs/images

shot() {   # shot NAME WIDTH HEIGHT URL
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$profile" \
    --host-resolver-rules="MAP *.localhost $address" --window-size="$2,$3" --screenshot="docs/images/$1.png" "$4" 2>/dev/null
  [[ -s docs/images/$1.png ]] || { echo "no picture of $4" >&2; exit 1; }
}

shot example-jamsession 1000 700 http://jamsession.localhost/

# the callboard, of Acts that the unit tests know
PYTHONPATH=.ansible/collections:tests/unit "$(scripts/env.sh tools)/bin/python" -c '
from ansible_collections.backstage.django.plugins.plugin_utils import callboard
from plugins.boards import three
print(callboard.page("cats", {"web1.example.com": three()}, "2026-11-30 10:00 UTC"))' >"$profile/callboard.html"
shot callboard 1280 940 "file://$profile/callboard.html"
