#!/usr/bin/env bash
# newcomers.sh [systemd|bare...]: a fresh machine each, in which newcomer.sh does what the README says.
set -uo pipefail
garage=$(dirname "${BASH_SOURCE[0]}")/garage.sh
(($#)) || set -- systemd bare
failed=0
for init; do
  folder=$("$garage" newcomer "$init") || exit
  # the machine without systemd is also the one where port 80 is taken
  arguments=()
  [[ $init != bare ]] || arguments=(PORT=8080)
  echo "A newcomer with $([[ $init == bare ]] && echo no || echo running) systemd, in $folder: make site ${arguments[*]}"
  if "$garage" in "n-$init" "$folder" tests/garage/newcomer.sh "${arguments[@]}"; then
    "$garage" remove "n-$init"
  else
    failed=1      # the machine stays, to look at: garage.sh exec n-bare bash
  fi
done
exit "$failed"
