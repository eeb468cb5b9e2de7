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
    choices: [uwsgi, gunicorn, asgi]
    description:
      - The server that runs the Act. V(uwsgi) is Debian's uWSGI. V(gunicorn) is gunicorn, and V(asgi) is gunicorn with
        workers of uvicorn, for ASGI and WebSockets. Both come into the environment of the Act's release, and need a
        host with systemd.
      - A release is built for one of them, so another one is another release. An earlier release plays by the one that
        it was built for.
      - Defaults to V(uwsgi).
  worker_class:
    type: str
    choices: [gthread, sync, gevent]
    description:
      - How a worker of gunicorn takes requests, for C(stage=gunicorn) only. V(gevent) makes another release, because it
        needs another package.
      - Defaults to V(gthread).
    version_added: 1.1.0
  manager:
    type: str
    choices: [systemd, supervisor]
    description:
      - What runs the server of C(stage=gunicorn) and C(stage=asgi). V(supervisor) is for hosts without systemd, and
        needs Debian's package C(supervisor) among the Act's C(packages). It has no sandbox and no limits, and loses the
        waiting requests when the whole server is killed.
      - Defaults to V(systemd).
    version_added: 1.1.0
  processes:
    type: int
    description: Worker processes, 1 to 256. Defaults to V(2).
  threads:
    type: int
    description:
      - Threads of each worker, 1 to 256, with C(stage=uwsgi) or the worker class V(gthread).
      - Defaults to V(1).
  limits:
    type: dict
    description:
      - Limits for all processes of the Sess together. Each is optional; V({}) means none. They do not apply to
        migrations, management commands and builds.
      - systemd enforces them with a cgroup v2. On a host without cgroup v2 a deploy warns, and the Sess plays without
        them. M(backstage.django.backstage_info) returns what enforces each limit.
    version_added: 1.1.0
    suboptions:
      memory:
        type: str
        description:
          - A number and V(K), V(M) or V(G), such as V(512M), at least V(32M). This memory is never swapped.
          - At the limit the kernel kills the largest process, usually a worker, and the server starts another one.
      cpu:
        type: str
        description: A percentage of one core, such as V(50%), at least V(5%). V(200%) is two cores.
      tasks:
        type: int
        description:
          - The number of processes and threads, at least C(processes) times C(threads) plus 4. At the limit no further
            one can be started.
  port:
    type: int
    description:
      - A port of the host, 1024 to 65535, on which nginx serves the Act on loopback only. An Act without a Gig is
        reachable there, too. In M(backstage.django.backstage_sess), V(0) removes the port.
  state:
    type: str
    choices: [started, asleep, stopped, absent]
    description:
      - V(asleep) plays the Act only while visitors ask for it. Without a request for C(idle) seconds its processes end.
        The next request starts them and waits for them.
      - V(stopped) stops the Sess after it has answered its requests. Visitors then get an error page. The release
        stays.
      - V(absent) does the same, and is refused while the Act is booked.
      - Defaults to V(started).
  idle:
    type: int
    version_added: 1.1.0
    description:
      - With C(state=asleep), the number of seconds without a request after which the processes end, 5 to 604800.
      - Defaults to V(300).
  standby:
    type: int
    version_added: 1.1.0
    description:
      - The number of minutes, 0 to 1440, for which a Sess stays beside the one of another release that replaces it. A
        rollback within this time switches to it at once.
      - Defaults to V(0).
"""

    # Only a whole manifest can name several hosts.
    HOSTS = r"""
options:
  hosts:
    type: list
    elements: str
    description:
      - The host that it plays on, or several hosts or groups. Then every host plays a Sess of its own, and the first
        one leads. It runs what runs once, such as hooks, fixtures, seeds, timers and workers with C(once).
      - Defaults to V(backstage_stage).
"""
