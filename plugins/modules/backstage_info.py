#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_info
short_description: Read what plays on a host
version_added: 1.0.0
description:
  - Reads a Production from the host's disk, its emperor and its nginx, and changes nothing. It requests a page of every
    Venue and of every Sess's own port.
author:
  - The Backstage maintainers (@backstage-django)
options:
  production:
    type: str
    description: The Production to read. Without it only the names of all Productions are returned.
  show:
    type: bool
    default: false
    version_added: 1.1.0
    description:
      - Whether to print the playbill, or the names of all Productions, line by line when the module has ended. If the
        play has several hosts, the host's name is printed above it.
  verify:
    type: bool
    default: false
    version_added: 1.1.0
    description:
      - Whether to compare every file of every sealed release and environment with the record made at its seal.
        Otherwise only releases and environments that play are checked, and in them only files that changed since.
requirements:
  - The module runs as root (C(become) of the play).
attributes:
  check_mode:
    support: full
    description: Reads in check mode, too.
  diff_mode:
    support: N/A
    description: There is nothing to show.
  idempotent:
    support: full
    description: It changes nothing.
  action_group:
    support: full
    description: Use C(group/backstage.django.backstage) in C(module_defaults) to give O(production) once.
    membership:
      - backstage.django.backstage
  platform:
    support: full
    platforms: debian
    description: The systems that the module runs on.
seealso:
  - module: backstage.django.backstage_production
"""

EXAMPLES = r"""
---
- name: Read the Production
  backstage.django.backstage_info:
    production: jazz
  register: tonight

- name: Print what plays where, and what every Venue answers
  backstage.django.backstage_info:
    production: jazz
    show: true

- name: Compare every sealed file with what was recorded
  backstage.django.backstage_info:
    production: jazz
    verify: true
  register: verified
  failed_when: verified.drift | length > 0

- name: Check that the kittens play
  ansible.builtin.assert:
    that: tonight.sesses.kittens.state == "playing"
"""

RETURN = r"""
productions:
  description: The Productions that have something on this host.
  returned: always
  type: list
  elements: str
  sample: [jazz]
playbill:
  description: For people, one line for each Gig, each Venue without one, each port of a Sess, and each other Act.
  returned: when O(production) is given
  type: list
  elements: str
  sample:
    - "http://kittens.example.com/  200  open  kittens: playing, release 018ea27b9e62 (v1.4.2) since 2026-11-21"
answers:
  description:
    - The current answer of every Gig, every Venue without one, and every port of a Sess, requested through this host's
      nginx.
  returned: when O(production) is given
  type: list
  elements: dict
  contains:
    url:
      description: The URL that was requested.
      type: str
    status:
      description: The HTTP status; V(0) if nothing answered.
      type: int
    state:
      description: V(open), V(closed), or V(local) for a port.
      type: str
    act:
      description: The Act that plays there; null if none does.
      type: str
    error:
      description: Why nothing answered; else empty.
      type: str
acts:
  description: The Acts, by name.
  returned: when O(production) is given
  type: dict
  contains:
    release:
      description: The release that the last run asked for.
      type: str
    live:
      description: The release that plays; null if none does.
      type: str
    held:
      description: The release that was rolled back and is not played again; null if there is none.
      type: str
    stopped:
      description: When the playbook stop stopped it; nothing where it did not.
      type: str
    releases:
      description: The releases on this host, each with its source, its time, and whether its requirements are pinned.
      type: dict
    history:
      description: What was built, migrated, seeded and played, when, and by whom, oldest first.
      type: list
      elements: dict
    has_data:
      description: Whether data of the Act is on this host.
      type: bool
    timers:
      description: Its timers, by name; empty without any.
      type: dict
      contains:
        when:
          description: Its time and its command.
          type: str
        running:
          description: Whether it runs now.
          type: bool
        last_start:
          description: When it was started for the last time; else empty.
          type: str
        last_end:
          description: When it ended for the last time; else empty.
          type: str
        last_status:
          description: The exit status then, a signal below 0; nothing if it never ended.
          type: int
workers:
  description: For people, what each worker of an Act does and how often it ended by itself, one line each.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["worker: act kittens, celery: working since 2026-11-21T11:13:08+0000"]
timers:
  description: For people, when each timer of an Act runs and how its last run ended, one line each.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["timer: act kittens, nightly, at 03:00: clearsessions: ended with status 0, 2026-11-21T03:00:04+0000"]
limits:
  description:
    - For people, one line for each live Sess with limits, with what enforces them, what is not enforced and why, and
      how often they were reached.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["limits: act kittens: held by cgroup: memory 512M, 131M used; tasks 100, 7 used"]
drift:
  description:
    - What differs from what Backstage made, in sealed code, users, modes, files of the host, the emperor's directory,
      the live Sess and nginx's files.
  returned: when O(production) is given
  type: list
  elements: dict
  contains:
    subject:
      description: What it belongs to.
      type: str
    where:
      description: The path, or the user.
      type: str
    found:
      description: The current state.
      type: str
    wanted:
      description: The expected state; empty if RV(drift[].found) already says it.
      type: str
    cure:
      description: V(deploy) or V(site) for the playbook that repairs it; otherwise what to do.
      type: str
    line:
      description: All of it in one line.
      type: str
sesses:
  description: The Sesses, by Act.
  returned: when O(production) is given
  type: dict
  contains:
    sess:
      description: Its id, which is its release and a number.
      type: str
    release:
      description: The release that it plays.
      type: str
    since:
      description: When it went live.
      type: str
    state:
      description: V(playing), or V(dark) if the emperor does not report that it accepts requests.
      type: str
    processes:
      description: The number of its workers.
      type: int
    threads:
      description: The number of threads of each worker.
      type: int
    port:
      description: The port of the host on which it is reachable, too; null if it has none.
      type: int
    limits:
      description: Its limits, by C(memory), C(cpu) and C(tasks); empty if it has none.
      type: dict
      contains:
        asked:
          description: The limit in the manifest.
          type: str
        held_by:
          description: V(cgroup), V(rlimits) or V(none), as the kernel reports it now.
          type: str
        why:
          description: Why nothing enforces it; else empty.
          type: str
        used:
          description:
            - Bytes of memory, or tasks, in use now; for C(cpu) the percentage of its time in which it had to wait. Null
              if nothing counts it.
          type: int
        reached:
          description:
            - How often the limit was reached since the Sess started, in killed processes (C(memory)), periods in which
              it had to wait (C(cpu)), or refused starts of processes and threads (C(tasks)). Null if nothing counts it.
          type: int
    workers:
      description: Its workers, by name; empty where it has none.
      type: dict
      contains:
        state:
          description:
            - V(working) or V(not working), as the kernel tells it; V(ending) where it ends what it does.
          type: str
        since:
          description: Since when it works; empty where it does not.
          type: str
        restarts:
          description: How often it ended by itself since its Sess began, and was started again.
          type: int
        last_end:
          description: When that was for the last time; else empty.
          type: str
        last_status:
          description: The exit status then, a signal below 0; nothing where it never ended by itself.
          type: int
venues:
  description: The Venues, by name, each with its aliases, state and Gigs.
  returned: when O(production) is given
  type: dict
stdout:
  description: The playbill, or the names of all Productions, as text.
  returned: with O(show=true)
  type: str
stdout_lines:
  description: The same, line by line.
  returned: with O(show=true)
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.productions import reports


def main() -> None:
    module = AnsibleModule(argument_spec=spec.info(), supports_check_mode=True)
    found = {"productions": reports.productions()}
    if module.params["production"]:
        found.update(reports.report(module.params["production"], module.params["verify"]))
    if module.params["show"]:
        found.update(reports.shown(found))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
