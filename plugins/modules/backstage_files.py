#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_files
short_description: Write all directories and files of a role in one call
version_added: 1.1.0
description:
  - Compares directories, files and logs with what is on the disk, and writes only what differs, each file as a whole.
  - If one of them can't be written, or if O(validate) refuses them, all of them are restored.
  - A run that loses its connection, or that gets a signal that can be caught, restores them, too. A run that is killed
    (by SIGKILL, or because the host goes down) leaves files that O(validate) has not tested, and a note beside
    O(record). The next run of this module finds the note, tests the files and restores the earlier ones if O(validate)
    refuses them. A program that reads the files between these two runs reads files that were not tested.
author:
  - The Backstage maintainers (@backstage-django)
options:
  state:
    type: str
    default: present
    choices: [present, absent]
    description:
      - V(absent) removes the files that contain Backstage's ownership line, the logs with their rotated copies, and
        then the empty directories. A file without this line stays and is listed in RV(kept).
      - Contents, owners and modes are ignored then.
  directories:
    type: list
    elements: dict
    default: []
    description: The directories, parents first. A symlink to a directory counts as a directory.
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
    description: The files. Pass a rendered template of the role with the lookup P(ansible.builtin.template#lookup).
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
        description: The content of the file.
      data:
        type: dict
        description: The content of the file as data, written as JSON with sorted keys. Replaces O(files[].content).
      sensitive_content:
        type: str
        description:
          - The content of the file, which is never shown in a diff, result or log. Replaces O(files[].content).
  logs:
    type: list
    elements: dict
    default: []
    description: Log files to create empty, before a program creates them with another owner or mode.
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
      - Symlinks of other software to remove. Each is removed only while it points to its target.
      - With O(state=absent) each is created again, if nothing else is at its path.
    suboptions:
      path:
        type: path
        required: true
        description: The path of the symlink.
      target:
        type: path
        required: true
        description: The target of the symlink.
  validate:
    type: list
    elements: str
    default: []
    description:
      - A command that has to succeed after everything is written, as a list of words. It is run without a shell.
      - It is not run if nothing was written, in check mode, or with O(state=absent).
  record:
    type: path
    required: true
    description:
      - The file that lists what was written. M(backstage.django.backstage_info) uses it to find manual changes.
  recorded:
    type: str
    default: ""
    description:
      - The text of O(record), if M(backstage.django.backstage_host_info) has just found that everything matches it. If
        it also matches what is wanted now, nothing is sent to the host.
requirements:
  - The module runs as root (C(become) of the play).
attributes:
  check_mode:
    support: full
    description: Returns what would be changed, and runs no validation.
  diff_mode:
    support: full
    description: Shows each file except O(files[].sensitive_content).
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
- name: Write nginx's files, or restore the earlier ones if nginx refuses them
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

- name: Remove all of it
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
      description: V(made), V(written), V(mended) if only its owner or mode differed, V(removed) or V(put back).
      type: str
kept:
  description: With O(state=absent), the paths that stay because they lack Backstage's ownership line.
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
        module.warn(f"{path} lacks Backstage's ownership line, so it stays: remove it if nobody needs it")
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
