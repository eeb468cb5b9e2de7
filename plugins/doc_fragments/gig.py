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
      - The URL path of the Act at the Venue, such as V(/blog). An Act has the same path at all of its Venues. Another
        path moves the Act and builds another release.
      - Defaults to V(/).
  state:
    type: str
    choices: [present, absent]
    description: V(absent) cancels the Gig, so the Venue no longer serves the Act. Defaults to V(present).
"""
