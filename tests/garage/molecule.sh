#!/usr/bin/env bash
# molecule.sh SUBCOMMAND...: molecule with its environment, testing this checkout. "converge -s site" keeps the hosts.
# molecule.sh all: test every scenario but those that take long and are run by name; also after one failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
make --no-print-directory --silent .ansible/collections/ansible_collections/backstage/django
tools=$(scripts/env.sh tools)
export PATH=$tools/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/.ansible/collections ANSIBLE_NOCOWS=1
# its own default is named after the folder's last part only: two checkouts would share their state
export MOLECULE_PROJECT_DIRECTORY=$PWD MOLECULE_EPHEMERAL_DIRECTORY=$PWD/.garage/molecule
[[ -t 1 ]] || export PY_COLORS=0 ANSIBLE_FORCE_COLOR=0 MOLECULE_COMMAND_BORDERS=0     # steps.sh reads pytest's last lines
[[ ${1:-} == all ]] || exec molecule "$@"

failed=()
for scenario in extensions/molecule/*/molecule.yml; do
  scenario=$(basename "$(dirname "$scenario")")
  case $scenario in default | any_project | rehearsals) continue ;; esac
  molecule test --scenario-name "$scenario" --report || failed+=("$scenario")
done
((${#failed[@]} == 0)) || { echo "Scenarios that failed: ${failed[*]}"; exit 1; }
