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
extends_documentation_fragment:
  - backstage.django.reading
  - backstage.django.shown
author:
  - The Backstage maintainers (@backstage-django)
options:
  production:
    type: str
    description: The Production to read. Without it only the names of all Productions are returned.
  verify:
    type: bool
    default: false
    version_added: 1.1.0
    description:
      - Whether to compare every file of every sealed release and environment with the record made at its seal.
        Otherwise only releases and environments that play are checked, and in them only files that changed since.
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
  description: The current answer of each URL of the Production, requested through this host's nginx.
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
      description: When the playbook stop stopped it; nothing if it did not.
      type: str
    standby:
      description: The release whose Sess stands by for a rollback; null if none does.
      type: str
    releases:
      description: The releases on this host, each with its source, its time, and whether its requirements are pinned.
      type: dict
    dumps:
      description: The dumps of its databases, the oldest first.
      type: list
      elements: dict
      contains:
        release:
          description: The release that played then.
          type: str
        at:
          description: When it was made.
          type: str
        size:
          description: The bytes of its files.
          type: int
        path:
          description: Its directory.
          type: str
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
status:
  description: All that is known of each Act, by name. Nothing is run for it.
  returned: when O(production) is given
  type: dict
  contains:
    state:
      description: V(playing), V(dark), V(stopped) by the playbook stop, or V(not playing).
      type: str
    release:
      description: The release that plays; null if none does.
      type: str
    source:
      description: The source of this release, such as its tag.
      type: str
    sess:
      description: The id of the Sess; null if none plays.
      type: str
    since:
      description: When it went live.
      type: str
    by:
      description: Who started the run that played it.
      type: str
    processes:
      description: The number of its processes now, with uWSGI's master and without workers of queues.
      type: int
    memory:
      description:
        - Their memory in bytes. Shared memory counts once; in a container without C(CAP_SYS_PTRACE), for each process.
      type: int
    requests:
      description: The number of requests of visitors in the last hour, from the ends of nginx's access logs.
      type: int
    errors:
      description: How many of these were answered with a status of 500 or more.
      type: int
    counted_since:
      description: Since when they are counted; later than an hour ago if the log is too long.
      type: str
    last_error:
      description: The last exception in its log, with C(at) if the log tells when, and C(text); null if there is none.
      type: dict
    pending:
      description: The migrations of this release that no run has applied; null if only the database knows.
      type: list
      elements: str
    set:
      description:
        - What the release brings, its Set; null if none plays. C(apps) are the installed apps, empty if an earlier
          Backstage built the release. C(packages) are those of its environment, each with its version.
        - C(static_files) and C(static_bytes) are the number and the size of its static files. C(unpinned_since) is when
          its packages were chosen, if the requirements leave it open; else null.
      type: dict
    held:
      description: The release that was rolled back and is not played again; null if there is none.
      type: str
    stopped:
      description: When (C(at)) and by whom (C(by)) it was stopped by the playbook stop; else null.
      type: dict
remarks:
  description: For people, one line for pending migrations, unpinned requirements, and an exception of the live Sess.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["act kittens: last error: KeyError: 'tail' (2026-11-21T12:00:00Z)"]
certificates:
  description: The certificate of each Venue that has one, by name.
  returned: when O(production) is given
  type: dict
  contains:
    kind:
      description: V(selfsigned), V(files) or V(acme).
      type: str
    names:
      description: The names that it is for.
      type: list
      elements: str
    ends:
      description: When it ends.
      type: str
    days:
      description: How many days are left.
      type: int
issued:
  description: For people, how each certificate stands that an authority gives, one line each.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["certificate: kittens.example.com: ok, until 2027-02-28 11:13 UTC"]
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
calendar:
  description: For people, what is on now and in the coming week at each Venue whose Gigs have times, one line each.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["calendar: club.example.com (Europe/Berlin): now jazz; Sat 2026-12-05 00:00 closed"]
standbys:
  description: For people, which earlier release of an Act stands by, and until when, one line each.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["standby: act kittens: release 018ea27b9e62 until 2026-11-21T11:23:08Z"]
limits:
  description: For people, one line for each live Sess with limits, what enforces them, and how often they were reached.
  returned: when O(production) is given
  type: list
  elements: str
  sample: ["limits: act kittens: held by cgroup: memory 512M, 131M used; tasks 100, 7 used"]
drift:
  description: What differs from what Backstage made, in sealed code, users, modes, Sesses and files of the host.
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
      description: V(playing), V(asleep) if it has no process until somebody asks, or V(dark) if it takes no requests.
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
          description: Bytes of memory or tasks in use; for C(cpu) the percentage of time it waited. Null if unknown.
          type: int
        reached:
          description:
            - How often the limit was reached since the Sess started, in killed processes (C(memory)), periods in which
              it had to wait (C(cpu)), or refused starts of processes and threads (C(tasks)). Null if nothing counts it.
          type: int
    workers:
      description: Its workers, by name; empty if it has none.
      type: dict
      contains:
        state:
          description: V(working) or V(not working), as the kernel reports it; V(ending) while it finishes its job.
          type: str
        since:
          description: When it started to work; empty if it does not.
          type: str
        restarts:
          description: How often it ended by itself since its Sess began, and was started again.
          type: int
        last_end:
          description: When that was for the last time; else empty.
          type: str
        last_status:
          description: The exit status then, a signal below 0; nothing if it never ended by itself.
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
