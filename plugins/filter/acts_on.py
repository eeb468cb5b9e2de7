# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: acts_on
short_description: The Acts that play on a host
version_added: 1.1.0
description: Returns those Acts of a list that play on a host of the inventory, as the Sesses say.
positional: host, sesses, sess_defaults, groups
options:
  _input:
    description: The variable C(backstage_acts).
    type: list
    elements: dict
    required: true
  host:
    description: The name of the host.
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
- name: Show what plays on this host
  ansible.builtin.debug:
    msg: >-
      {{ backstage_acts
         | backstage.django.acts_on(inventory_hostname, backstage_sesses, backstage_sess_defaults, groups) }}
"""

RETURN = r"""
_value:
  description: The Acts, as the list has them.
  type: list
  elements: dict
"""

from collections.abc import Callable

from ..plugin_utils.placing import acts_on


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        return {"acts_on": acts_on}
