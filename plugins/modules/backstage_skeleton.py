#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_skeleton
short_description: Make an Act from a skeleton, and the repository of a Production around it
version_added: 1.1.0
description:
  - Writes a Django project that reads the variables of an Act and has tests. Around it, it writes the files of a
    Production, that is, an inventory, a manifest, secrets and a playbook. There, C(ansible-playbook site.yml)
    plays it.
  - Never changes a file that exists. If the manifest exists and does not name the Act, it returns the lines to add.
  - Runs wholly on the controller, as the user who runs Ansible. No host is reached.
author:
  - The Backstage maintainers (@backstage-django)
options:
  act:
    type: str
    required: true
    description:
      - The name of the Act. A letter, then up to 31 lower-case letters, digits and hyphens.
      - Its Python package has the same name, with underscores for hyphens. So names of Python's modules are refused.
  path:
    type: str
    description:
      - The directory of the repository. A relative path belongs to the directory in which Ansible was started.
      - Without it, a directory there with the name of the Act.
  show:
    type: bool
    default: false
    description:
      - Whether to print the result line by line. A task that registers the result does not need it.
attributes:
  check_mode:
    support: full
    description: Returns what would be made, and writes nothing.
  diff_mode:
    support: full
    description: Shows each file that is made.
  idempotent:
    support: full
    description: Makes only what is not there.
seealso:
  - module: backstage.django.backstage_rehearsal
"""

EXAMPLES = r"""
---
- name: Make an Act and its Production in ./kittens
  backstage.django.backstage_skeleton:
    act: kittens

- name: Make another Act in a repository that exists
  backstage.django.backstage_skeleton:
    act: puppies
    path: ~/live
  register: skeleton
"""

RETURN = r"""
path:
  description: The directory of the repository.
  returned: success
  type: str
  sample: /home/ada/kittens
made:
  description: The files that were made, relative to it.
  returned: success
  type: list
  elements: str
  sample: [acts/kittens/manage.py, site.yml]
kept:
  description: The files that existed and stay as they are.
  returned: success
  type: list
  elements: str
stdout:
  description: The report as text, with what is left to do.
  returned: success
  type: str
stdout_lines:
  description: The same, line by line.
  returned: success
  type: list
  elements: str
"""
