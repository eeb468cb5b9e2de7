# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # A Venue's keys: options of backstage_venue, and suboptions of backstage_production by the fragment "manifest".
    DOCUMENTATION = r"""
options:
  name:
    type: str
    required: true
    description: Its host name, in lower case and ASCII form.
  aliases:
    type: list
    elements: str
    description: Host names that redirect to its name.
  tls:
    type: dict
    description: How it is encrypted.
    suboptions:
      mode:
        type: str
        choices: [none]
        description: Only V(none), plain HTTP, is built so far. Defaults to V(none).
  state:
    type: str
    choices: [open, closed, absent]
    description:
      - V(closed) answers every request with a page that says so, with status 503 and C(Retry-After). What plays there
        goes on playing.
      - Defaults to V(open).
"""

    # Only a whole manifest knows hosts, and where its names point.
    DNS = r"""
options:
  dns:
    type: bool
    description:
      - Whether its names point at its hosts by the Production's own name servers, where there are any.
      - Defaults to V(true).
"""
