#!/usr/bin/env bash
# newcomers.sh [systemd|bare...]: a fresh machine each, in which newcomer.sh does what the README says.
set -uo pipefail
garage=$(dirname "${BASH_SOURCE[0]}")/garage.sh
(($#)) || set -- systemd bare
failed=0
for init; do
  folder=$("$garage" newcomer "$init") || exit
  # the machine without systemd is also the one of somebody who is not root, where port 80 is taken
  arguments=(root)
  [[ $init != bare ]] || arguments=(roadie PORT=8080)
  echo "A newcomer's machine ($init): make site as ${arguments[*]} in $folder"
  if "$garage" in "n-$init" "$folder" tests/garage/newcomer.sh "${arguments[@]}"; then
    "$garage" remove "n-$init"
  else
    failed=1      # the machine stays, to look at: garage.sh exec n-bare bash
  fi
done
exit "$failed"
