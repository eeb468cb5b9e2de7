# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # The action plugin of the same name sets these options on the controller.
    DOCUMENTATION = r"""
options:
  resolved:
    type: dict
    default: {}
    description: Internal. The action plugin passes how it resolved each source.
  shipped:
    type: dict
    default: {}
    description: Internal. The action plugin passes which archives it copied to the host.
  unavailable:
    type: dict
    default: {}
    description: Internal. The action plugin passes which sources it could not fetch, and why.
  run:
    type: str
    default: ""
    description: Internal. The action plugin passes the path of the progress file that it reads while the module runs.
"""
