# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # The action plugin prints, because a callback would show a long text as one escaped string.
    DOCUMENTATION = r"""
options:
  show:
    type: bool
    default: false
    version_added: 1.1.0
    description:
      - Whether to print the result line by line when the module has ended. Ansible itself shows nothing of it. The
        playbooks set V(true). A task that registers the result does not need it.
requirements:
  - Debian 12 or 13, prepared by the roles of this collection.
  - The module runs as root (C(become) of the play).
attributes:
  action_group:
    support: full
    description: Use C(group/backstage.django.backstage) in C(module_defaults) to give O(production) once.
    membership:
      - backstage.django.backstage
  platform:
    support: full
    platforms: debian
    description: The systems that the module runs on.
"""
