#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_manage
short_description: Run a management command of an Act that plays
version_added: 1.1.0
description:
  - Runs a management command like the live Sess runs, with the Sess's variables and secrets, the code of its release,
    its working directory, the programs of its environment, and as the Act's player.
  - It takes no lock, so deploys continue beside it. The release that it runs in stays, even after a switch to another.
  - The secrets of the Sess are masked in the result. Values that a command derives from a secret, such as a hash, are
    not recognized.
  - The command gets no input. Tell a command that asks for input not to, such as C(createsuperuser --noinput).
extends_documentation_fragment:
  - backstage.django.shown
author:
  - The Backstage maintainers (@backstage-django)
options:
  production:
    type: str
    required: true
    description: The Production.
  act:
    type: str
    required: true
    description: The Act. It has to play on this host.
  run:
    type: str
    required: true
    description:
      - The management command with its arguments, without C(manage.py). It is split into words as a shell does it, but
        run without a shell, so no variable, glob or redirection is expanded.
  changes:
    type: bool
    description:
      - Whether the command changes anything. V(false) makes it run in check mode, too.
      - Without this option, Django's own commands that only read are recognized, such as C(showmigrations), C(check),
        C(diffsettings) or C(migrate --plan). Every other command counts as a change.
  timeout:
    type: int
    default: 3600
    description: After this number of seconds the command is killed, with everything that it started.
attributes:
  check_mode:
    support: partial
    details: A command that may change something is not run.
    description: Runs only commands that change nothing. For others it returns what would be run.
  diff_mode:
    support: N/A
    description: What a command changes is not known.
  idempotent:
    support: N/A
    description: The command is run every time.
seealso:
  - module: backstage.django.backstage_log_info
"""

EXAMPLES = r"""
---
- name: See which migrations are applied
  backstage.django.backstage_manage:
    production: jazz
    act: kittens
    run: showmigrations --plan
  register: migrations

- name: Delete expired sessions
  backstage.django.backstage_manage:
    production: jazz
    act: kittens
    run: clearsessions
    timeout: 600

- name: Look for broken links, which changes nothing
  backstage.django.backstage_manage:
    production: jazz
    act: kittens
    run: find_broken_links --site "The Kittens"
    changes: false
"""

RETURN = r"""
command:
  description: The command that was run, or in check mode would be run.
  returned: always, if the Act plays
  type: str
  sample: /srv/backstage/jazz/environments/6c0a1bd2e9d14c2f/bin/python manage.py showmigrations
release:
  description: The release that it ran in.
  returned: always, if the Act plays
  type: str
  sample: 018ea27b9e62
rc:
  description: Its exit code. The module fails if it is not V(0).
  returned: always, if the Act plays
  type: int
note:
  description: What would be run.
  returned: in check mode, if the command is not run
  type: str
stdout:
  description: Its whole output, with errors, in the order of printing. Empty if it failed and O(show=true).
  returned: always, if the Act plays
  type: str
stdout_lines:
  description: The same, line by line.
  returned: always, if the Act plays
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.acts import commands
from ansible_collections.backstage.django.plugins.module_utils.host import caller
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec


def main() -> None:
    module = AnsibleModule(argument_spec=spec.manage(), supports_check_mode=True)
    caller.watch()
    act, ran = module.params["act"], None
    try:
        words = commands.split(module.params["run"])
        command = commands.prepare(module.params["production"], act, words)
        changed = commands.changes(words, module.params["changes"])
        if not (module.check_mode and changed):
            ran = commands.run(command, act, module.params["timeout"])
    except (BackstageError, OSError, caller.Abandoned) as error:
        module.fail_json(msg=str(error))
    result = commands.as_result(command, ran, changed)
    if ran and ran.error:
        module.fail_json(msg=str(ran.error), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
