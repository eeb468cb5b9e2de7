#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_rehearsal
short_description: Try out an Act on a host, and keep only packages
version_added: 1.1.0
description:
  - Builds an Act on the host as a deploy would, migrates a database of its own, starts a Sess that nobody can reach,
    and requests a page with the host name of its Venue. Then it removes everything except packages, also after a
    failure. The next rehearsal removes what a killed rehearsal left.
  - For a directory on the controller it finds the lines of the manifest. If a step fails, and a line is known that
    cures the cause, it adds the line with its reason and repeats the step.
  - For an Act in the manifest it returns what a deploy would do, with the names of pending migrations. It fails if the
    manifest lacks a line, and names the line.
  - It runs in its own Production, C(rehearsal), and does not touch other Productions or nginx. A database that is not
    the rehearsal's own is read and never migrated. In that case no page is requested that needs its migrations.
extends_documentation_fragment:
  - backstage.django.manifest
  - backstage.django.controller
  - backstage.django.shown
author:
  - The Backstage maintainers (@backstage-django)
options:
  path:
    type: str
    description:
      - A directory on the controller with a Django project, relative to where Ansible was started. No further knowledge
        of the project is needed.
      - Exactly one of O(path) and O(act) is required.
  act:
    type: str
    description: An Act of O(acts).
  venue:
    type: str
    description: The host name that the project will have, with O(path). Defaults to a name made from the directory's.
  lines:
    type: dict
    default: {}
    description:
      - Lines of the Act that are already known, with O(path). They are keys as in O(acts), such as C(env), C(index) or
        C(requirements). The C(packages) have to be installed; the playbook installs them first.
  keep:
    type: bool
    default: true
    description:
      - Whether to keep the downloaded packages and the environments made from them. The next rehearsal on this host
        reuses them. They are removed if no rehearsal uses them for 14 days, and together with the host's last
        Production.
      - V(false) first removes what earlier rehearsals kept, so unpinned requirements are resolved again, and leaves
        nothing.
  production:
    type: str
    description: The Production of O(act).
  versions:
    type: dict
    default: {}
    description: Versions of sources by Act, as C(backstage_versions). They override O(acts[].source.version).
  version:
    type: str
    description: The version of O(act) for this run. It overrides the manifest's.
  longest_request:
    type: int
    default: 300
    description: The role's C(stage_longest_request), in seconds. A greater O(acts[].timeout) is refused.
  lock_timeout:
    type: int
    default: 600
    description: How many seconds to wait for another rehearsal on this host.
attributes:
  check_mode:
    support: full
    description: Does not rehearse, and says so.
  diff_mode:
    support: N/A
    description: Nothing is changed.
  idempotent:
    support: full
    description: It removes everything that it makes.
seealso:
  - module: backstage.django.backstage_production
"""

EXAMPLES = r"""
---
- name: Find the lines of the manifest for a project
  backstage.django.backstage_rehearsal:
    path: ~/kittens
    venue: kittens.example.com
    lines: {env: {KITTENS_THEME: tabby}}
    show: true

- name: Check before a deploy whether the manifest's Act plays, and what a deploy would do
  backstage.django.backstage_rehearsal:
    production: "{{ backstage_production }}"
    acts: "{{ backstage_acts }}"
    venues: "{{ backstage_venues }}"
    gigs: "{{ backstage_gigs }}"
    act: kittens
    version: v1.4.3
  register: tonight
"""

RETURN = r"""
plays:
  description: Whether the Act passed the gate with the lines that were found.
  returned: always, if it was rehearsed
  type: bool
act:
  description: The Act with all its lines. Secrets are variables as a vault would name them.
  returned: always, if it was rehearsed
  type: dict
  sample:
    name: kittens
    source: {path: /home/ada/kittens}
    writable: [db.sqlite3]
because:
  description: The reasons for each line, by its key.
  returned: always, if it was rehearsed
  type: dict
  sample:
    writable: ["the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA"]
sess:
  description: The Sess that the project needs, without what is a default anyway; empty if it needs nothing else.
  returned: always, if it was rehearsed
  type: dict
  sample: {act: chat, stage: asgi}
sess_because:
  description: The reasons for the keys of RV(sess), one sentence each.
  returned: always, if it was rehearsed
  type: list
  elements: str
notes:
  description: Servers among the requirements of the project that are not used, one sentence each.
  returned: always, if it was rehearsed
  type: list
  elements: str
lacking:
  description: With O(act), the keys that are missing in the manifest.
  returned: always, if it was rehearsed
  type: list
  elements: str
found:
  description: What the project itself defines, so that no line is needed.
  returned: always, if it was rehearsed
  type: dict
  sample:
    application: kittens.wsgi:application
    manage: manage.py
    requirements: [requirements.txt]
    settings: kittens.settings
tried:
  description: Lines that did not help and were removed again, one sentence each.
  returned: always, if it was rehearsed
  type: list
  elements: str
missing:
  description: What you have to do, or to give a value, one sentence each.
  returned: always, if it was rehearsed
  type: list
  elements: str
error:
  description: Why it does not play; empty if it plays.
  returned: always, if it was rehearsed
  type: str
step:
  description: The step that failed; empty if none failed.
  returned: always, if it was rehearsed
  type: str
log:
  description: The end of the log that shows the cause.
  returned: always, if it was rehearsed
  type: str
applied:
  description: The migrations that were applied to the rehearsal's own database, which was empty.
  returned: always, if it was rehearsed
  type: list
  elements: str
pending:
  description: With O(act), the migrations that a deploy would apply to the live Act's database.
  returned: always, if it was rehearsed
  type: list
  elements: str
unwritten:
  description: Apps with model changes that no migration contains.
  returned: always, if it was rehearsed
  type: list
  elements: str
warnings_of_django:
  description: The output of C(check --deploy).
  returned: always, if it was rehearsed
  type: list
  elements: str
plan:
  description: With O(act), what a deploy would do, as M(backstage.django.backstage_production) returns it.
  returned: always, if it was rehearsed
  type: list
  elements: dict
manifest:
  description: The inventory variables, with the Act and, with O(path), its booking.
  returned: always, if it was rehearsed
  type: dict
stdout:
  description: The whole report as text. Empty if it failed and O(show=true).
  returned: always, if it was rehearsed
  type: str
stdout_lines:
  description: The same, line by line.
  returned: always, if it was rehearsed
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.host import caller, run_log
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import findings
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import rehearsal as rehearsals


def main() -> None:
    module = AnsibleModule(argument_spec=spec.rehearsal(), supports_check_mode=True)
    caller.watch()
    try:
        with run_log.written(module.params["run"]):
            rehearsal = rehearsals.Rehearsal(module.params)
            found = rehearsal.run()
    except (BackstageError, OSError, caller.Abandoned) as error:
        module.fail_json(msg=str(error))
    for warning in found.warnings:
        module.warn(warning)
    result = findings.as_result(found, rehearsal.before, rehearsal.exact)
    if found.error or result["lacking"]:
        module.fail_json(msg=findings.verdict(found, result), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
