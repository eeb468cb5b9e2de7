# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Options and attributes of every module that changes a host.
    DOCUMENTATION = r"""
options:
  production:
    type: str
    required: true
    description:
      - The name of the Production. It marks everything that the Production owns on a host.
      - A letter, then up to 14 lower-case letters and digits. C(backstage), C(www), C(root), C(systemd) and
        C(rehearsal) are taken.
  lock_timeout:
    type: int
    default: 600
    description:
      - How many seconds to wait for another run that holds the lock of the Production or of nginx. After that the
        module fails and names the run that holds it.
      - Check mode takes no lock.
requirements:
  - Debian 12 or 13, prepared by the roles P(backstage.django.stage#role) and P(backstage.django.front_of_house#role).
  - The module runs as root (C(become) of the play).
notes:
  - Use pipelining (C(ansible_pipelining)), as the playbooks do. Without it, a killed run leaves a file on the host that
    contains the module's options, secrets included.
attributes:
  check_mode:
    support: full
    description: Plans from the state of the host and changes nothing. Works on an empty host, too.
  diff_mode:
    support: full
    description: Shows one entry for each step of the plan. For a secret it shows that it changed, never its value.
  idempotent:
    support: full
    description: Compares content, so a second run with the same options changes nothing.
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
