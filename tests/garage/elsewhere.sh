#!/usr/bin/env bash
# Runs as root on a fresh machine, in a checkout. It builds the collection, installs the tarball as a user does, and plays
# a copy of the example with the oldest ansible-core that the collection supports, and then with the newest.
#   elsewhere.sh [sanity]        sanity: also run ansible-test of the newest
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
. scripts/check.sh
checkout=$PWD
place=/var/tmp/elsewhere
mkdir -p "$place" "$checkout/.garage/logs"
CHECK_LOGS=$checkout/.garage/logs

versions=(oldest newest)

environment() {      # environment VERSION
  scripts/apt-missing.sh python3-venv ca-certificates &&
    /usr/bin/python3 -m venv "$place/$1" && "$place/$1/bin/pip" install -qq --disable-pip-version-check "$(grep ansible-core "requirements/$1.txt")"
}

tarball() { rm -f "$place"/*.tar.gz; "$place/oldest/bin/ansible-galaxy" collection build --output-path "$place" "$checkout"; }

installed() {        # installed VERSION
  rm -rf "$place/live-$1" && cp -r "$checkout/example" "$place/live-$1" &&
    "$place/$1/bin/ansible-galaxy" collection install -p "$place/live-$1/collections" "$place"/backstage-django-*.tar.gz
}

play() {             # play VERSION LOG PLAYBOOK ARGUMENTS..
  local version=$1 log=$checkout/.garage/logs/$2.log
  shift 2
  (cd "$place/live-$version" && ANSIBLE_COLLECTIONS_PATH=$PWD/collections ANSIBLE_NOCOLOR=1 "$place/$version/bin/ansible-playbook" "$@") 2>&1 |
    tee "$log"
  return "${PIPESTATUS[0]}"
}

unchanged() {        # unchanged LOG: nothing changed, and no deprecation warning
  grep -E ': ok=[0-9]+ +changed=0 +unreachable=0 +failed=0' "$checkout/.garage/logs/$1.log" && quiet "$1"
}

quiet() { ! grep -iE 'deprecat' "$checkout/.garage/logs/$1.log"; }

for version in "${versions[@]}"; do check "$(grep ansible-core "requirements/$version.txt")" environment "$version"; done
check 'the tarball' tarball
for version in "${versions[@]}"; do check "it is installed, $version" installed "$version"; done
check 'site, oldest' play oldest site site.yml
check 'nothing is deprecated, oldest' quiet site
cp -r "$place/live-oldest/.secrets" "$place/live-newest/"      # the example generates its secrets once
check 'every Venue answers' /usr/bin/python3 tests/garage/visit.py http://jamsession.localhost/ http://polls.localhost/
check 'site, newest' play newest again site.yml
check 'it changes nothing' unchanged again
check 'a rehearsal, newest' play newest rehearsal backstage.django.rehearse -e path=acts/polls -e venue=try.localhost
check 'nothing is deprecated, newest' quiet rehearsal
check 'strike, newest' play newest strike backstage.django.strike -e '{"backstage_delete_data": ["jamsession", "polls"]}'
[[ ${1:-} != sanity ]] || check 'sanity, newest' env TOOLS=newest scripts/lint.sh sanity
closing
