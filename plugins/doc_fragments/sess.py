# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # A Sess's keys: options of backstage_sess, and suboptions of backstage_production by the fragment "manifest".
    DOCUMENTATION = r"""
options:
  act:
    type: str
    required: true
    description: The Act that plays.
  stage:
    type: str
    choices: [uwsgi]
    description: What it plays on. Defaults to V(uwsgi).
  processes:
    type: int
    description: Worker processes, 1 to 256. Defaults to V(2).
  threads:
    type: int
    description: Threads of each worker, 1 to 256. Defaults to V(1).
  port:
    type: int
    description:
      - A port of the host itself, 1024 to 65535, that nginx listens on for it, on loopback only. An Act without a Gig
        is reached there, too. In M(backstage.django.backstage_sess) V(0) takes it away.
  state:
    type: str
    choices: [started, stopped, absent]
    description:
      - V(stopped) lets it finish what it is answering, then visitors get an error page. Its release stays.
      - V(absent) does the same, and is refused while the Act is booked.
      - Defaults to V(started).
"""

    # Only a whole manifest knows several hosts.
    HOSTS = r"""
options:
  hosts:
    type: str
    description:
      - The host that it plays on, or a group that has one host. Several hosts for one Act are refused for now.
      - Defaults to V(backstage_stage).
"""
