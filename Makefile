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
	$(if $(PORT),-e front_of_house_http_port=$(PORT)) $(ARGS)

# The example is this machine, and needs root: by sudo, which may ask for a password.
define ROOT
become=; \
if [ -z "$(INVENTORY)" ] && [ "$$(id -u)" != 0 ]; then \
	command -v sudo >/dev/null || { echo "make $@ needs root: run it as root, or install sudo" >&2; exit 1; }; \
	sudo -kn true 2>/dev/null || become=--ask-become-pass; \
fi
endef

EXAMPLE_DATA := {"backstage_delete_data": "{{ backstage_acts | map(attribute=\"name\") | list }}"}

.PHONY: help site strike status test lint schema screenshots format units molecule campaign versions newcomer load bench plots clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

site: .venv/.ready $(LINK) ## the example Production on this machine; PORT=8080, or INVENTORY=path for your own; again: only what differs
	@[ -n "$(INVENTORY)" ] || [ -d /run/systemd/system ] || \
		echo "systemd is not PID 1 here: uWSGI's own master watches the emperor, and nothing watches that master."
	@$(ROOT); $(PLAY) $(SITE)
	@$(MAKE) --no-print-directory status

# Only the lines that matter: all of it when it fails, or when there is no Venue.
status: .venv/.ready $(LINK) ## every Venue's URL and the HTTP status it answers
	@$(ROOT); said=$$(ANSIBLE_NOCOLOR=1 $(PLAY) backstage.django.status) || { echo "$$said"; exit 1; }; \
	grep -E '^(https?://|limits: |drift: )' <<<"$$said" || echo "$$said"

# Data goes with the bundled example only: yours would have to be named.
strike: .venv/.ready $(LINK) ## take the example down again, its data included (INVENTORY=path: yours, without its data)
	@$(ROOT); $(PLAY) $(if $(INVENTORY),,-e '$(EXAMPLE_DATA)') backstage.django.strike
	@[ -n "$(INVENTORY)" ] || rm -rf example/.secrets

.venv/.ready: requirements/site.txt
	@scripts/apt-missing.sh python3-venv ca-certificates $(if $(INVENTORY),openssh-client)
	@echo "Making .venv with $$(cat $<)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-cache-dir -r $<
	@touch $@

# Ansible finds a collection by its path only: this link makes any checkout one.
$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@

test: ## lint, units, molecule, newcomer and load; what each took
	@scripts/steps.sh lint units molecule newcomer load

lint: $(LINK) ## formatting, types, Ansible's own checks, documentation, the built collection
	@scripts/lint.sh $(CHECKS)

schema: $(LINK) ## docs/manifest.schema.json, from the options of the modules
	@tools=$$(scripts/env.sh tools) && PYTHONPATH="$$ANSIBLE_COLLECTIONS_PATH" "$$tools/bin/python" scripts/schema.py >docs/manifest.schema.json

screenshots: ## docs/images, of the example that plays here; ADDRESS=host for elsewhere
	@scripts/screenshots.sh $(ADDRESS)

format: ## what ruff can mend by itself
	@"$$(scripts/env.sh tools)/bin/ruff" check --fix-only --quiet; "$$(scripts/env.sh tools)/bin/ruff" format

# A test that hangs ends the run, and says where. Each of the two workers has namespaces of its own.
units: $(LINK) ## unit tests, without a host
	@scripts/apt-missing.sh gcc libc6-dev libpq5 libxml2 libldap-2.5-0 tzdata libpcre3 libyajl2  # of PostgreSQL's and uWSGI's libraries, those that a machine may lack
	@nginx=$$(scripts/unpacked.sh nginx); psql=$$(scripts/unpacked.sh postgresql-client-15); \
	postgresql=$$(scripts/unpacked.sh postgresql-15)/usr/lib/postgresql/15/bin; \
	uwsgi=$$(scripts/unpacked.sh uwsgi-core)/usr/bin; \
	export PATH="$$postgresql:$$psql/usr/lib/postgresql/15/bin:$$uwsgi:$$PATH:$$nginx/usr/sbin"; \
	"$$(scripts/env.sh $(TOOLS))/bin/python" -m pytest -o faulthandler_timeout=120 -o faulthandler_exit_on_timeout=true \
		-d --tx "2*popen//python=$$(scripts/env.sh $(TOOLS))/bin/python tests/unit/apart.py" --dist loadfile tests/unit $(ARGS)

molecule: $(LINK) ## scenarios over real systemd hosts; SCENARIO=name for one
	@tests/garage/molecule.sh $(if $(SCENARIO),test --scenario-name $(SCENARIO) --report,all)

campaign: $(LINK) ## every project on both Debians, each rehearsed by itself; a kill at every write; and emulated machines
	@status=0; CAMPAIGN=1 tests/garage/molecule.sh test --scenario-name any_project --report || status=1; \
	FAULTS_FULL=1 tests/garage/molecule.sh test --scenario-name killed --report || status=1; \
	tests/vm/run.sh || status=1; exit "$$status"

versions: $(LINK) ## sanity and unit tests by the oldest and the newest ansible-core
	@TOOLS=oldest scripts/lint.sh sanity && $(MAKE) --no-print-directory units TOOLS=oldest
	@$(MAKE) --no-print-directory newcomer KINDS=elsewhere

newcomer: ## make site, again, and make strike on fresh machines; the installed tarball on another one
	@tests/garage/newcomers.sh $(KINDS)

load: $(LINK) ## a short form of bench: deploys and a rollback under load, which lose no request
	@tests/benchmarks/run.sh --short && echo "1 passed"

bench: $(LINK) ## the load test and the benchmarks
	@tests/benchmarks/run.sh $(ARGS)
	@$(if $(findstring --short,$(ARGS)),,$(MAKE) --no-print-directory plots)

plots: ## docs/images/benchmarks-*.svg, from the results of the benchmarks
	@"$$(scripts/env.sh plots)/bin/python" tests/benchmarks/plots.py

clean: ## remove what make left in this checkout: hosts, images, environments
	@tests/garage/garage.sh clean
	@rm -rf .venv .ansible .garage tests/output
