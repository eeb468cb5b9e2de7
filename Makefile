# Backstage from a checkout. The path may hold spaces: targets are relative, and what a shell sees is quoted.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.ansible/collections
LINK := .ansible/collections/ansible_collections/backstage/django
PYTHON := /usr/bin/python3
TOOLS := tools

# The bundled example, unless INVENTORY names the user's own. "-m ansible" also works in a checkout that was moved.
WHERE := $(if $(INVENTORY),.,example)
SITE := $(if $(INVENTORY),backstage.django.site,site.yml)
PLAY = cd $(WHERE) && "$(CURDIR)/.venv/bin/python" -m ansible playbook $(if $(INVENTORY),-i "$(INVENTORY)",$$become) \
	$(if $(PORT),-e front_of_house_http_port=$(PORT) -e front_of_house_https_port=0) $(ARGS)

# The example is this machine, and needs root: by sudo, which may ask for a password.
define ROOT
become=; \
if [ -z "$(INVENTORY)" ] && [ "$$(id -u)" != 0 ]; then \
	command -v sudo >/dev/null || { echo "make $@ needs root: run it as root, or install sudo" >&2; exit 1; }; \
	sudo -kn true 2>/dev/null || become=--ask-become-pass; \
fi
endef

EXAMPLE_DATA := {"backstage_delete_data": "{{ backstage_acts | map(attribute=\"name\") | list }}"}

.PHONY: help site strike status test lint schema screenshots format units molecule campaign audit versions newcomer load bench plots clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

site: .venv/.ready $(LINK) ## deploy the example to this machine, or INVENTORY=path; PORT=8080; a second run changes only what differs
	@[ -n "$(INVENTORY)" ] || [ -d /run/systemd/system ] || \
		echo "systemd is not PID 1 here: uWSGI's own master watches the emperor, and nothing watches that master."
	@$(ROOT); $(PLAY) $(SITE)
	@$(MAKE) --no-print-directory status

# Prints only the important lines. If the playbook fails, or if there is no Venue, prints everything.
status: .venv/.ready $(LINK) ## show every Venue's URL and its HTTP status
	@$(ROOT); said=$$(ANSIBLE_NOCOLOR=1 $(PLAY) backstage.django.status) || { echo "$$said"; exit 1; }; \
	grep -E '^(https?://|act |certificate: |limits: |drift: )' <<<"$$said" || echo "$$said"

# Only the example's data is deleted. The data of another Production has to be named.
strike: .venv/.ready $(LINK) ## remove the example and its data (INVENTORY=path: your Production, without its data)
	@$(ROOT); $(PLAY) $(if $(INVENTORY),,-e '$(EXAMPLE_DATA)') backstage.django.strike
	@[ -n "$(INVENTORY)" ] || rm -rf example/.secrets

.venv/.ready: requirements/site.txt
	@scripts/apt-missing.sh python3-venv ca-certificates $(if $(INVENTORY),openssh-client)
	@echo "Making .venv with $$(cat $<)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-cache-dir -r $<
	@touch $@

# Ansible finds a collection only by its path, so this symlink makes any checkout one.
$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@

test: ## run lint, units, molecule, newcomer and load, and report the time of each
	@scripts/steps.sh lint units molecule newcomer load

lint: $(LINK) ## check formatting, types, Ansible's own rules, documentation and the built collection
	@scripts/lint.sh $(CHECKS)

schema: $(LINK) ## make docs/manifest.schema.json from the options of the modules
	@tools=$$(scripts/env.sh tools) && PYTHONPATH="$$ANSIBLE_COLLECTIONS_PATH" "$$tools/bin/python" scripts/schema.py >docs/manifest.schema.json

screenshots: $(LINK) ## make docs/images from the example on this machine; ADDRESS=host for another one
	@scripts/screenshots.sh $(ADDRESS)

format: ## fix and format what ruff can
	@"$$(scripts/env.sh tools)/bin/ruff" check --fix-only --quiet; "$$(scripts/env.sh tools)/bin/ruff" format

# A hanging test ends the run with a traceback. Each of the two workers has namespaces of its own.
units: $(LINK) ## run the unit tests, which need no host
	@scripts/apt-missing.sh bind9-dnsutils gcc systemd libc6-dev libcurl4 libpq5 libxml2 libldap-2.5-0 libluajit2-5.1-2 libpcre3 libsodium23 libyajl2 libyaml-0-2 tzdata  # what a machine may lack
	@nginx=$$(scripts/unpacked.sh nginx); psql=$$(scripts/unpacked.sh postgresql-client-15); \
	postgresql=$$(scripts/unpacked.sh postgresql-15)/usr/lib/postgresql/15/bin; uwsgi=$$(scripts/unpacked.sh uwsgi-core)/usr/bin; \
	scripts/unpacked.sh pdns-backend-sqlite3 >/dev/null; pdns=$$(scripts/unpacked.sh pdns-server); \
	for library in acme josepy openssl requests tz rfc3339 urllib3 certifi idna chardet cryptography cffi-backend pkg-resources six; do \
		scripts/unpacked.sh "python3-$$library" >/dev/null; done; pebble=$$(scripts/unpacked.sh pebble)/usr/bin; \
	export PATH="$$postgresql:$$psql/usr/lib/postgresql/15/bin:$$uwsgi:$$PATH:$$nginx/usr/sbin:$$pdns/usr/sbin:$$pebble"; \
	"$$(scripts/env.sh $(TOOLS))/bin/python" -m pytest -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true \
		-d --tx "2*popen//python='$$(scripts/env.sh $(TOOLS))/bin/python' tests/unit/apart.py" --dist loadfile tests/unit $(ARGS)

molecule: $(LINK) ## run the scenarios on systemd hosts in containers; SCENARIO=name for one
	@tests/garage/molecule.sh $(if $(SCENARIO),test --scenario-name $(SCENARIO) --report,all)

campaign: $(LINK) ## run what takes too long for make test: projects on both Debians, kills at every write, name servers, emulated machines
	@status=0; for scenario in any_project switch producer company certificates stages; do \
		CAMPAIGN=1 tests/garage/molecule.sh test --scenario-name "$$scenario" --report || status=1; \
	done; \
	FAULTS_FULL=1 tests/garage/molecule.sh test --scenario-name killed --report || status=1; \
	FAULTS_FULL=1 $(MAKE) units ARGS="-k 'killed_at_every_write or rival' -o faulthandler_timeout=7200" || status=1; \
	tests/vm/run.sh || status=1; exit "$$status"

audit: $(LINK) ## look for weaknesses of nginx's files, of TLS and of units with known tools, on hosts in containers
	@tests/audit/audit.sh

versions: $(LINK) ## run sanity and unit tests with the oldest and the newest ansible-core
	@TOOLS=oldest scripts/lint.sh sanity && $(MAKE) --no-print-directory units TOOLS=oldest
	@$(MAKE) --no-print-directory newcomer KINDS=elsewhere

newcomer: ## run make site twice and make strike on fresh machines, and the installed tarball on another one
	@tests/garage/newcomers.sh $(KINDS)

load: $(LINK) ## run a short bench: deploys and a rollback under load lose no request
	@tests/benchmarks/run.sh --short && echo "1 passed"

bench: $(LINK) ## run the load test and the benchmarks
	@tests/benchmarks/run.sh $(ARGS)
	@$(if $(findstring --short,$(ARGS)),,$(MAKE) --no-print-directory plots)

plots: ## make docs/images/benchmarks-*.svg from the results of the benchmarks
	@"$$(scripts/env.sh plots)/bin/python" tests/benchmarks/plots.py

clean: ## remove the hosts, images and environments that make created
	@tests/garage/garage.sh clean
	@rm -rf .venv .ansible .garage tests/output
