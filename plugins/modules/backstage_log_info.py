#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_log_info
short_description: Read what an Act and its Venues logged
version_added: 1.1.0
description:
  - Returns the last lines of the Act's own log, of the access logs of its Venues and of its Sess's own port, and of
    nginx's error log about both. If the newest files do not reach back far enough, rotated files are read, too.
  - Known causes in these lines are named as a failing deploy would name them.
  - The current secrets of the Act are masked in the result.
extends_documentation_fragment:
  - backstage.django.reading
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
    description: The Act.
  lines:
    type: int
    default: 100
    description: The maximum number of lines of each log.
  since:
    type: str
    description:
      - Return only lines since this time. Either an age, such as V(30m), V(2h) or V(1d), or a time by the host's clock,
        such as V(2026-11-21 10:00), or a time with a zone, such as V(2026-11-21T10:00Z).
      - What an Act prints itself has no reliable time. From its log, everything after the last line that is known to be
        older is returned. This can be too much, but never too little.
seealso:
  - module: backstage.django.backstage_manage
"""

EXAMPLES = r"""
---
- name: Read the last lines
  backstage.django.backstage_log_info:
    production: jazz
    act: kittens
    lines: 20
  register: logs

- name: Check that the logs show no known cause
  ansible.builtin.assert:
    that: logs.causes == []

- name: Print what was logged in the last hour
  backstage.django.backstage_log_info:
    production: jazz
    act: kittens
    since: 1h
    show: true
"""

RETURN = r"""
logs:
  description: Each log, the Act's own first.
  returned: success
  type: list
  elements: dict
  contains:
    title:
      description: What it is.
      type: str
      sample: kittens.example.com, requests
    path:
      description: The file.
      type: str
      sample: /var/log/nginx/backstage.jazz.kittens.example.com.log
    lines:
      description: Its lines, the oldest first.
      type: list
      elements: str
    more:
      description: Whether that time has more lines than O(lines).
      type: bool
causes:
  description:
    - Known causes that these lines show, each with its cure, one sentence each.
    - Limits that the live Sess has reached since it started.
  returned: success
  type: list
  elements: str
  sample: ["the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA"]
stdout:
  description: The whole report as text.
  returned: success
  type: str
stdout_lines:
  description: The same, line by line.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.productions import logs


def main() -> None:
    module = AnsibleModule(argument_spec=spec.log_info(), supports_check_mode=True)
    options = module.params
    try:
        start = logs.since(options["since"]) if options["since"] else None
        found = logs.report(options["production"], options["act"], options["lines"], start)
    except (BackstageError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
