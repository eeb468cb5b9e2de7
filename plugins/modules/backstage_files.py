#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_files
short_description: Keep all directories and files of a role in one call
version_added: 1.1.0
description:
  - Compares directories, files and logs with what is on the disk, and writes only what differs, each file as a whole.
  - When one of them can't be written, or O(validate) refuses them, all of them are put back as they were.
  - A run that ends with its connection, or by a signal that can be caught, puts everything back, too. What is killed
    (SIGKILL, or the host goes down) leaves files that O(validate) has not seen. It also leaves a note beside O(record),
    by which the next run of this module puts them back if O(validate) refuses them. Whatever reads the files between
    these two runs reads what was not validated.
author:
  - The Backstage maintainers (@backstage-django)
options:
  state:
    type: str
    default: present
    choices: [present, absent]
    description:
      - V(absent) removes the files that say that they are Backstage's, the logs with their rotated copies, and then
        the directories that are empty. A file without Backstage's line stays, and is in RV(kept).
      - Contents, owners and modes mean nothing then.
  directories:
    type: list
    elements: dict
    default: []
    description: The directories, parents first. A link to a directory counts as one.
    suboptions:
      path:
        type: path
        required: true
        description: The absolute path.
      owner:
        type: str
        default: root
        description: The user that owns it.
      group:
        type: str
        default: root
        description: The group that owns it.
      mode:
        type: str
        default: "0755"
        description: Its mode, an octal number in quotes.
  files:
    type: list
    elements: dict
    default: []
    description: The files. Give the text of a template of the role by the lookup P(ansible.builtin.template#lookup).
    suboptions:
      path:
        type: path
        required: true
        description: The absolute path.
      owner:
        type: str
        default: root
        description: The user that owns it.
      group:
        type: str
        default: root
        description: The group that owns it.
      mode:
        type: str
        default: "0644"
        description: Its mode, an octal number in quotes.
      content:
        type: str
        description: What is in it.
      data:
        type: dict
        description: In place of O(files[].content), what is in it as JSON, with sorted keys.
      sensitive_content:
        type: str
        description: In place of O(files[].content), what is in it and stands in no diff, result or log.
  logs:
    type: list
    elements: dict
    default: []
    description: Logs that are made empty, before anybody writes to them with a mode of his own.
    suboptions:
      path:
        type: path
        required: true
        description: The absolute path.
      owner:
        type: str
        default: root
        description: The user that owns it.
      group:
        type: str
        default: adm
        description: The group that owns it.
      mode:
        type: str
        default: "0640"
        description: Its mode, an octal number in quotes.
  removed_links:
    type: list
    elements: dict
    default: []
    description:
      - Symbolic links of somebody else that are taken out, each only while it leads to its target.
      - With O(state=absent) each is made again, where nothing else is at its path.
    suboptions:
      path:
        type: path
        required: true
        description: The link.
      target:
        type: path
        required: true
        description: Where it leads to.
  validate:
    type: list
    elements: str
    default: []
    description:
      - A command that has to succeed when everything is written, as a list of its words. No shell reads it.
      - It is not run where nothing was written, nor in check mode, nor with O(state=absent).
  record:
    type: path
    required: true
    description:
      - The file that lists what was written, for M(backstage.django.backstage_info) to find what a hand has changed.
  recorded:
    type: str
    default: ""
    description:
      - The text of O(record), where M(backstage.django.backstage_host_info) has just found everything to be as it says.
        When it is also what is wanted now, nothing is sent to the host.
requirements:
  - The module runs as root (C(become) of the play).
attributes:
  check_mode:
    support: full
    description: Says what would be changed, and runs no validation.
  diff_mode:
    support: full
    description: Shows each file, but for O(files[].sensitive_content).
  idempotent:
    support: full
    description: Compares contents, owners and modes with the disk.
  platform:
    support: full
    platforms: debian
    description: The systems that the module runs on.
seealso:
  - module: backstage.django.backstage_host_info
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
---
- name: Write what nginx reads, or change nothing
  backstage.django.backstage_files:
    directories:
      - path: /etc/nginx/backstage
    files:
      - path: /etc/nginx/conf.d/backstage.conf
        content: "{{ lookup('ansible.builtin.template', 'backstage.conf.j2') }}"
    validate: [nginx, -t, -q]
    record: /etc/backstage/front_of_house.files
  register: written

- name: Reload nginx
  ansible.builtin.service:
    name: nginx
    state: reloaded
  when: written.changed

- name: Take all of it away
  backstage.django.backstage_files:
    state: absent
    directories:
      - path: /etc/nginx/backstage
    files:
      - path: /etc/nginx/conf.d/backstage.conf
    record: /etc/backstage/front_of_house.files
"""

RETURN = r"""
changes:
  description: What was changed, in this order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path.
      type: str
    what:
      description: V(made), V(written), V(mended) where only its owner or mode differed, V(removed) or V(put back).
      type: str
kept:
  description: With O(state=absent), the paths that stay because they do not say that they are Backstage's.
  returned: success
  type: list
  elements: str
diff:
  description: The same changes in Ansible's form, shown by C(--diff).
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.host import caller, host_specs, role_files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError


def main() -> None:
    module = AnsibleModule(argument_spec=host_specs.files(), supports_check_mode=True)
    if not module.check_mode:
        caller.watch()
    try:
        wanted = role_files.Wanted.of(module.params)
        plan = role_files.plan(wanted) if module.check_mode else role_files.carry_out(wanted)
    except (BackstageError, OSError, caller.Abandoned) as error:
        module.fail_json(msg=str(error))
    for path in plan.kept:
        module.warn(f"{path} does not say that it is Backstage's, and stays: remove it where nobody needs it")
    for note in plan.waited:
        module.warn(note)
    module.exit_json(
        changed=bool(plan.changes),
        changes=[change.entry() for change in plan.changes],
        kept=plan.kept,
        diff=[change.diff() for change in plan.changes],
    )


if __name__ == "__main__":
    main()
