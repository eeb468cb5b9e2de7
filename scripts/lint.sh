#!/usr/bin/env bash
# lint.sh [CHECK...]: run the checks that read the code without running it; all of them by default.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
. scripts/check.sh
scripts/apt-missing.sh shellcheck || exit
tools=$(scripts/env.sh "${TOOLS:-tools}") || exit    # TOOLS=oldest: with another ansible-core
export PATH=$tools/bin:/usr/sbin:/usr/bin:/sbin:/bin   # without shims of version managers, which ansible-test would try
export ANSIBLE_NOCOLOR=1 NO_COLOR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
export ANSIBLE_COLLECTIONS_PATH=$PWD/.ansible/collections
tracked() { git ls-files -coz --exclude-standard -- "$@"; }

ruff_format() { ruff format --check; }
ruff_lint() { ruff check; }
types() { mypy -p ansible_collections.backstage.django.plugins | sed 's#^.ansible/.*/backstage/django/##'; }
imports() { PYTHONPATH=$ANSIBLE_COLLECTIONS_PATH lint-imports --cache-dir .ansible/import_linter_cache; }
yaml() { yamllint --strict .; }
shell() { tracked '*.sh' .ci/run | xargs -0 shellcheck -x; }
ansible_lint() { ansible-lint --profile production --offline --strict; }
docs() { antsibull-docs lint-collection-docs --plugin-docs .; }
changelog() { antsibull-changelog lint && [[ -s CHANGELOG.rst ]]; }

playbooks() {   # by FQCN, as users call them
  local file
  for file in playbooks/*.yml; do
    ANSIBLE_LOCALHOST_WARNING=false ansible-playbook -i localhost, --syntax-check \
      "backstage.django.$(basename "$file" .yml)" || return
  done
}

roles() {   # the roles that users call; a private role begins with _
  local role
  for role in roles/[a-z]*/; do ansible-doc -t role "backstage.django.$(basename "$role")" || return; done
}

sanity() {   # ansible-test needs a path that ends in ansible_collections/backstage/django, without symlinks
  local copy=$PWD/.ansible/test/ansible_collections/backstage/django cache=$HOME/.ansible/test/cache log
  mkdir -p "$copy/tests/output" "$cache"
  # with a cached get_pip it downloads nothing; the number is that of the pinned ansible-core
  [[ -f $cache/get_pip_24_2.py ]] || cp scripts/get_pip.py "$cache/get_pip_24_2.py"
  # ansible-test asks git for its targets, and the repository around ignores this copy, so the copy gets its own
  [[ -d $copy/.git ]] || git init -q "$copy"
  find "$copy" -mindepth 1 -maxdepth 1 ! -name tests ! -name .git -exec rm -rf {} +
  find "$copy/tests" -mindepth 1 -maxdepth 1 ! -name output -exec rm -rf {} +
  tracked | tar -c --null -T - --ignore-failed-read 2>/dev/null | tar -xC "$copy"
  log=$copy/tests/output/sanity.log
  (cd "$copy" && ansible-test sanity --venv --color no) >"$log" 2>&1 && grep -q 'Running sanity test' "$log" && return
  # "All targets skipped" also exits with 0; the many lines of pip are left out
  grep -E '^(ERROR|FATAL)|sanity test' "$log" | grep -v '^FATAL: Command' || cat "$log"
  return 1
}

galaxy() {   # import the collection as Ansible Galaxy does
  local place importer
  importer=$(scripts/env.sh importer) || return
  place=$(mktemp -d)
  # ansible-test and ansible-lint are checks of their own here
  printf '[galaxy-importer]\nrun_ansible_test = False\nrun_ansible_lint = False\ncheck_required_tags = False\n' >"$place/importer.cfg"
  ansible-galaxy collection build --output-path "$place" . &&
    (cd "$place" && PATH=$importer/bin:$PATH GALAXY_IMPORTER_CONFIG=$place/importer.cfg \
      "$importer/bin/python" -m galaxy_importer.main backstage-django-*.tar.gz)
  local status=$?
  rm -rf "$place"
  return "$status"
}

execution_environment() { "$(scripts/env.sh importer)/bin/ansible-builder" introspect --sanitize .ansible/collections; }

all=(ruff_format ruff_lint types imports yaml shell ansible_lint docs changelog playbooks roles sanity galaxy execution_environment)
(($#)) || set -- "${all[@]}"
for one; do check "$one" "$one"; done
closing
