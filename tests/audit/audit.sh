#!/usr/bin/env bash
# audit.sh: what known tools find on the hosts of the garage: gixy-ng in nginx's files, sslyze in its TLS, systemd in units.
# The hosts are those of the scenario "certificates", as far as its tests of modes: a Venue with a certificate from an authority.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tools=$(scripts/env.sh audit)/bin
results=$PWD/.garage/audit
rm -rf "$results" && mkdir -p "$results"
tests/garage/garage.sh up
trap 'tests/garage/garage.sh down' EXIT
for step in prepare converge; do tests/garage/molecule.sh "$step" -s certificates; done
PYTEST_ADDOPTS='-k test_1_modes' tests/garage/molecule.sh verify -s certificates
"$tools/python" tests/audit/audit.py "$results" h1 h2
