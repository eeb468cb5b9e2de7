# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts_of
short_description: The hosts where an Act plays
version_added: 1.1.0
description:
  - Returns the hosts of the inventory on which an Act plays, in the order in which plays take them.
  - The first one leads. It runs what runs once for all hosts of the Act.
positional: sesses, sess_defaults, groups
options:
  _input:
    description: The name of the Act.
    type: str
    required: true
  sesses:
    description: The variable C(backstage_sesses).
    type: list
    elements: dict
    required: true
  sess_defaults:
    description: The variable C(backstage_sess_defaults).
    type: dict
    required: true
  groups:
    description: The groups of the inventory.
    type: dict
    required: true
author:
  - The Backstage maintainers (@backstage-django)
"""

EXAMPLES = r"""
- name: Show where the kittens play
  ansible.builtin.debug:
    msg: "{{ 'kittens' | backstage.django.hosts_of(backstage_sesses, backstage_sess_defaults, groups) }}"
"""

RETURN = r"""
_value:
  description: Names of hosts.
  type: list
  elements: str
"""

from collections.abc import Callable

from ..plugin_utils.placing import hosts_of


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"hosts_of": hosts_of}
