# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Filled in on the controller, by the action plugin of the same name.
    DOCUMENTATION = r"""
options:
  resolved:
    type: dict
    default: {}
    description: Internal. The controller's half of the module says here what it found behind each source.
  shipped:
    type: dict
    default: {}
    description: Internal. The controller's half of the module says here which archives it sent along.
  unavailable:
    type: dict
    default: {}
    description: Internal. The controller's half of the module says here which sources it could not fetch, and why.
  run:
    type: str
    default: ""
    description: Internal. The controller's half of the module names the file here that it follows while it waits.
"""
