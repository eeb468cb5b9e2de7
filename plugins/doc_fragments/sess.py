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
  limits:
    type: dict
    description:
      - What all processes of the Sess together may use of the host. Each is optional; V({}) means none. Migrations,
        management commands and builds are not under them.
      - systemd holds them, by a cgroup v2. On a host that has none a deploy warns, and the Sess plays without;
        M(backstage.django.backstage_info) tells for each what holds it.
    version_added: 1.1.0
    suboptions:
      memory:
        type: str
        description:
          - A number and V(K), V(M) or V(G), such as V(512M), at least V(32M). None of it is swapped.
          - Beyond it the kernel kills the largest process, a worker as a rule, and uWSGI's master starts another one.
      cpu:
        type: str
        description: A percentage of one core, such as V(50%), at least V(5%). V(200%) is two cores.
      tasks:
        type: int
        description:
          - Processes and threads, at least C(processes) times C(threads) and 4 more. Beyond it no other one can be
            started.
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
