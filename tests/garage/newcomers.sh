#!/usr/bin/env bash
# newcomers.sh [systemd|bare|elsewhere...]: a fresh machine each, in which newcomer.sh does what the README says, or elsewhere.sh
# what it says of the installed collection; all at once.
set -uo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
garage=$here/garage.sh
logs=$here/../../.garage/logs
mkdir -p "$logs"
(($#)) || set -- systemd bare elsewhere
declare -A running

for init; do
  folder=$("$garage" newcomer "$init") || exit
  # the machine without systemd is also the one of somebody who is not root, where port 80 is taken
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
    failed=1      # the machine stays, to look at: garage.sh exec n-bare bash
  fi
  cat "$logs/newcomer-$init.log"
done
exit "$failed"
