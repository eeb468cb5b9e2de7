#!/usr/bin/env bash
# newcomers.sh [systemd|bare...]: a fresh machine each, in which newcomer.sh does what the README says; all at once.
set -uo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
garage=$here/garage.sh
logs=$here/../../.garage/logs
mkdir -p "$logs"
(($#)) || set -- systemd bare
declare -A running

for init; do
  folder=$("$garage" newcomer "$init") || exit
  # the machine without systemd is also the one of somebody who is not root, where port 80 is taken
  arguments=(root)
  [[ $init != bare ]] || arguments=(roadie PORT=8080)
  {
    echo "A newcomer's machine ($init): make site as ${arguments[*]} in $folder"
    "$garage" in "n-$init" "$folder" tests/garage/newcomer.sh "${arguments[@]}"
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
