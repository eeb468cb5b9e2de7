#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_rehearsal
short_description: Try an Act out on a host, and leave nothing but packages
version_added: 1.1.0
description:
  - Builds an Act on the host as a deploy would, migrates a database of its own, plays a Sess that nobody can reach, and
    asks it for a page, with the Host of its Venue. Then all of it but its packages is removed, also after a failure.
    What a killed rehearsal leaves, the next one removes.
  - Of a directory on the controller it finds the lines of the manifest. Where a step fails, and a line is known that
    cures the cause, the line is written with its reason, and the step is tried again.
  - Of an Act in the manifest it tells what a deploy would do, with the names of the migrations that are pending. It
    fails where the manifest lacks a line, and says which.
  - It runs in a Production of its own, C(rehearsal). Other Productions, and nginx, are left alone. A database that is
    not the rehearsal's own is read, and never migrated; and then no page is asked for that needs its migrations.
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
      - A directory of the controller with a Django project, relative to where Ansible was started. Nothing has to be
        known of it.
      - Exactly one of O(path) and O(act) is given.
  act:
    type: str
    description: An Act of O(acts).
  venue:
    type: str
    description: The host name that the project will have, with O(path). By default it is made of the directory's name.
  lines:
    type: dict
    default: {}
    description:
      - Lines of the Act that are known already, with O(path). They are keys as in O(acts), such as C(env), C(index) or
        C(requirements). C(packages) have to be on the host; the playbook installs them first.
  keep:
    type: bool
    default: true
    description:
      - Whether the packages stay that were downloaded, and the environments that were made of them. The next rehearsal
        on this host uses them. What none uses for 14 days is removed, and all with the host's last Production.
      - With V(false) what earlier rehearsals kept is removed first, so unpinned requirements are resolved anew, and
        nothing is left.
  production:
    type: str
    description: The Production of O(act).
  versions:
    type: dict
    default: {}
    description: Laid over O(acts[].source.version), by Act, as C(backstage_versions).
  version:
    type: str
    description: Laid over the version of O(act), for this run.
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
    description: Rehearses nothing, and says so.
  diff_mode:
    support: N/A
    description: Nothing is changed.
  idempotent:
    support: full
    description: Whatever it makes it removes.
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

- name: See before the night whether the manifest's Act plays, and what a deploy would do
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
  description: Whether the gate let it through, with the lines that were found.
  returned: always, where it was rehearsed
  type: bool
act:
  description: The Act with all its lines; secrets are named as a vault would have them.
  returned: always, where it was rehearsed
  type: dict
  sample:
    name: kittens
    source: {path: /home/ada/kittens}
    writable: [db.sqlite3]
because:
  description: Why each line is there, by its key.
  returned: always, where it was rehearsed
  type: dict
  sample:
    writable: ["the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA"]
lacking:
  description: With O(act), the keys that the manifest lacks.
  returned: always, where it was rehearsed
  type: list
  elements: str
found:
  description: What the project says by itself, so that it needs no line.
  returned: always, where it was rehearsed
  type: dict
  sample:
    application: kittens.wsgi:application
    manage: manage.py
    requirements: [requirements.txt]
    settings: kittens.settings
tried:
  description: Lines that did not help, and were taken back, one sentence each.
  returned: always, where it was rehearsed
  type: list
  elements: str
missing:
  description: What somebody has to do, or to give a value, one sentence each.
  returned: always, where it was rehearsed
  type: list
  elements: str
error:
  description: Why it does not play; empty where it does.
  returned: always, where it was rehearsed
  type: str
step:
  description: The step that failed; empty where none did.
  returned: always, where it was rehearsed
  type: str
log:
  description: The end of the log that shows the cause.
  returned: always, where it was rehearsed
  type: str
applied:
  description: The migrations that were applied to the rehearsal's own database, which was empty.
  returned: always, where it was rehearsed
  type: list
  elements: str
pending:
  description: With O(act), the migrations that a deploy would apply to the live Act's database.
  returned: always, where it was rehearsed
  type: list
  elements: str
unwritten:
  description: Apps whose models have changes that no migration has.
  returned: always, where it was rehearsed
  type: list
  elements: str
warnings_of_django:
  description: What C(check --deploy) says.
  returned: always, where it was rehearsed
  type: list
  elements: str
plan:
  description: With O(act), what a deploy would do, as M(backstage.django.backstage_production) returns it.
  returned: always, where it was rehearsed
  type: list
  elements: dict
manifest:
  description: The variables of the inventory, with the Act and, with O(path), where it is booked.
  returned: always, where it was rehearsed
  type: dict
stdout:
  description: All of it for people. Empty where it failed and O(show=true).
  returned: always, where it was rehearsed
  type: str
stdout_lines:
  description: The same, line by line.
  returned: always, where it was rehearsed
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
