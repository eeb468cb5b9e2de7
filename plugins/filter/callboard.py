# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.backstage.django.plugins.plugin_utils import callboard

DOCUMENTATION = r"""
name: callboard
short_description: Make a page of HTML from the status of a Production
version_added: 1.1.0
author:
  - The Backstage maintainers (@backstage-django)
description:
  - Makes the callboard, one page for the status of a Production on all its hosts. It loads nothing from elsewhere.
positional: production, at
options:
  _input:
    type: dict
    required: true
    description: What M(backstage.django.backstage_info) returned, by host.
  production:
    type: str
    required: true
    description: The Production.
  at:
    type: str
    required: true
    description: The time of the status, as it is shown.
"""

EXAMPLES = r"""
- name: Write the callboard
  ansible.builtin.copy:
    content: "{{ {inventory_hostname: tonight} | backstage.django.callboard('jazz', '2026-11-21 11:13') }}"
    dest: /var/www/callboard/index.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
"""


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"callboard": lambda hosts, production, at: callboard.page(production, hosts, at)}
