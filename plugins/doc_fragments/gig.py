# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # A Gig's keys: options of backstage_gig, and suboptions of backstage_production by the fragment "manifest".
    DOCUMENTATION = r"""
options:
  act:
    type: str
    required: true
    description: The Act that plays.
  venue:
    type: str
    required: true
    description: The Venue where it plays.
  path:
    type: str
    description:
      - The URL path below which it plays, such as V(/blog). An Act has one path, wherever it is booked; another one
        moves it, and makes another release.
      - Defaults to V(/).
  state:
    type: str
    choices: [present, absent]
    description: V(absent) cancels it; nothing plays there any more. Defaults to V(present).
"""
