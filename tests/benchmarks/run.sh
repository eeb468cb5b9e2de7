#!/usr/bin/env bash
# run.sh [--short] [--only PART..]: the benchmarks on a fresh host of the garage. See bench.py --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scripts/apt-missing.sh gcc libc6-dev git openssh-client
tools=$(scripts/env.sh tools)
tests/garage/garage.sh up 1
tests/garage/garage.sh fresh h1
export PATH=$tools/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/.ansible/collections
exec "$tools/bin/python" tests/benchmarks/bench.py --ssh-config .garage/ssh_config --host h1 \
  --address "$(tests/garage/garage.sh address h1)" "$@"
