#!/usr/bin/env bash
# Runs on a fresh machine, in a checkout: types what the README tells a new user to type, and checks the results.
#   newcomer.sh USER [MAKE ARGUMENTS...]        run it as root; it runs make as the user
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
. scripts/check.sh
user=$1
shift
record=/var/tmp/newcomer.json
log=$PWD/.garage/logs                # inside the checkout, so that it is no leftover
install -d -o "$user" "$log"
CHECK_LOGS=$log

type_it() {   # type_it LOG TARGET [ARGUMENTS..]
  local name=$1
  shift
  sudo -u "$user" -H make "$@" 2>&1 | tee "$log/$name.log"
  return "${PIPESTATUS[0]}"
}

recap() {     # recap LOG changed=0: every line of every recap has this word, and nothing failed
  local recaps
  recaps=$(grep -E ': ok=[0-9]+ +changed=' "$log/$1.log") || { echo "no recap"; return 1; }
  ! grep -vE 'unreachable=0 +failed=0' <<<"$recaps" && { [[ -z ${2:-} ]] || ! grep -v "$2 " <<<"$recaps"; }
}

answers() {   # the last lines are the Venues' URLs with their status, and each URL has a page
  local urls
  mapfile -t urls < <(tail -n 20 "$log/$1.log" | sed -nE 's#^(http://[^ ]+) .*\b(200|30[1278])\b.*#\1#p')
  ((${#urls[@]} >= 2)) || { echo "not two URLs"; tail -n 20 "$log/$1.log"; return 1; }
  "$python" tests/garage/visit.py "${urls[@]}"
}

units() {     # run the unit tests while the example plays: they see nothing of it, and leave nothing
  local status=0
  make units ARGS='-q -p no:cacheprovider -k "machine or host or bookings or options"' GARAGE_CACHE="$PWD/.garage/cache" PIP_CACHE_DIR="$PWD/.garage/pip" || status=$?
  rm -rf /tmp/pytest-of-root
  return "$status"
}

python=/usr/bin/python3
"$python" tests/garage/leftovers.py stamp "$record"
check 'make site' type_it site site "$@"
check 'nothing failed' recap site
check 'every Venue answers' answers site
check 'make site, again' type_it again site "$@"
check 'recap: changed=0' recap again changed=0
check 'every Venue still answers' answers again
[[ $user != root ]] || check 'make units' units
check 'make strike' type_it strike strike "$@"
check 'nothing failed in strike' recap strike
check 'nothing is left' "$python" tests/garage/leftovers.py check "$record" tests/garage/leftovers.allowed
closing
