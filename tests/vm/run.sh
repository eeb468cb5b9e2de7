#!/usr/bin/env bash
# run.sh [PYTEST'S OPTIONS]: what needs a kernel of its own, on emulated machines with Debian 12 and 13; "-k trixie" for one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scripts/apt-missing.sh qemu-system-x86 e2fsprogs openssh-client
make --no-print-directory --silent .ansible/collections/ansible_collections/backstage/django
tools=$(scripts/env.sh tools)
tests/garage/garage.sh up 2
export PATH=$tools/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/.ansible/collections ANSIBLE_NOCOWS=1
[[ ! -f .garage/containers.conf ]] || export CONTAINERS_CONF=$PWD/.garage/containers.conf
"$tools/bin/python" -m pytest -s tests/vm "$@" && status=0 || status=$?
tests/garage/garage.sh down
exit "$status"
