#!/usr/bin/env bash
# newcomers.sh [systemd|bare|elsewhere...]: start a fresh machine for each, all at once. newcomer.sh follows the README
# there, or elsewhere.sh tests the installed collection.
set -uo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
garage=$here/garage.sh
logs=$here/../../.garage/logs
mkdir -p "$logs"
(($#)) || set -- systemd bare elsewhere
declare -A running

for init; do
  folder=$("$garage" newcomer "$init") || exit
  # on the machine without systemd the user is not root, and port 80 is taken
  words=(tests/garage/newcomer.sh root)
  [[ $init != bare ]] || words=(tests/garage/newcomer.sh roadie PORT=8080)
  [[ $init != elsewhere ]] || words=(tests/garage/elsewhere.sh)
  {
    echo "A newcomer's machine ($init): ${words[*]} in $folder"
    "$garage" in "n-$init" "$folder" "${words[@]}"
  } >"$logs/newcomer-$init.log" 2>&1 &
  running[$init]=$!
done

failed=0
for init; do
  if wait "${running[$init]}"; then
    "$garage" remove "n-$init"
  else
    failed=1      # the machine stays for inspection: garage.sh exec n-bare bash
  fi
  cat "$logs/newcomer-$init.log"
done
exit "$failed"
