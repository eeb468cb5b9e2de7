#!/usr/bin/env bash
# molecule.sh SUBCOMMAND...: run molecule in its environment, to test this checkout. "converge -s site" keeps the hosts.
# molecule.sh all: test every scenario except any_project, which takes too long. Go on after a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
make --no-print-directory --silent .ansible/collections/ansible_collections/backstage/django
tools=$(scripts/env.sh tools)
export PATH=$tools/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/.ansible/collections ANSIBLE_NOCOWS=1
# molecule's default has only the last part of the path in its name, so two checkouts would share their state
export MOLECULE_PROJECT_DIRECTORY=$PWD MOLECULE_EPHEMERAL_DIRECTORY=$PWD/.garage/molecule
[[ -t 1 ]] || export PY_COLORS=0 ANSIBLE_FORCE_COLOR=0 MOLECULE_COMMAND_BORDERS=0     # steps.sh reads pytest's last lines
case ${1:-} in all | lane) ;; *) exec molecule "$@" ;; esac

run_lane() {   # run_lane TAKEN: run each scenario that the other lane has not taken, the slow ones first
  local scenario from failed=()
  for scenario in killed plans rehearsals company extensions/molecule/*/molecule.yml; do
    [[ $scenario != */* ]] || scenario=$(basename "$(dirname "$scenario")")
    case $scenario in default | any_project) continue ;; esac
    mkdir "$1/$scenario" 2>/dev/null || continue
    from=$SECONDS
    molecule test --scenario-name "$scenario" --report || failed+=("$scenario")
    echo "Scenario $scenario: $((SECONDS - from)) s"
  done
  ((${#failed[@]} == 0)) || { echo "Scenarios that failed: ${failed[*]}"; return 1; }
}

[[ $1 == all ]] || { run_lane "$2"; exit; }
# two at once, each on its own hosts, because a scenario mostly waits
lane=$PWD/.garage/lane taken=$(mktemp -d) status=0
tests/garage/garage.sh lane "$lane"
"$lane/tests/garage/molecule.sh" lane "$taken" >"$taken/log" 2>&1 &
run_lane "$taken" || status=1
wait "$!" || status=1
cat "$taken/log"
"$lane/tests/garage/garage.sh" clean
rm -rf "$lane" "$taken"
exit "$status"
