# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage kinds "gunicorn" and "asgi": gunicorn loads the Act, and its workers answer by WSGI or ASGI."""

from __future__ import annotations

import os

from ..manifest.stage_kinds import KINDS
from .interface import Part
from .units import Units

GTHREAD, GEVENT = "gthread", "gevent"
_AT_ONCE = 100
"""Requests that a worker of gevent takes at the same time."""


class Gunicorn(Units):
    """WSGI, with gunicorn's own workers."""

    name = "gunicorn"

    def command(self, part: Part, sess: str) -> list[str]:
        python = os.path.join(part.environment, "bin", "python")
        config = os.path.join(self.host.wrapper, "gunicorn.conf.py")
        return [
            *(python, "-m", "gunicorn", "--config", config, "--pythonpath", self.host.wrapper),
            *("--name", f"{self.act.production.name}/{self.act.name}/{sess}"),
            *("--workers", str(part.processes), "--timeout", str(part.timeout)),
            *("--graceful-timeout", str(part.timeout + 5)),
            *self.worker(part),
            f"backstage_http:{KINDS[self.name].interface}()",
        ]

    def worker(self, part: Part) -> list[str]:
        """Return the options of the worker class."""
        worker_class, threads = part.worker_class or GTHREAD, str(part.threads)
        found = ["--worker-class", worker_class]
        if worker_class == GTHREAD:
            # a worker takes no more than it can answer: what it took and let wait, no other worker could answer
            found += ["--threads", threads, "--worker-connections", threads]
        if worker_class == GEVENT:
            found += ["--worker-connections", str(_AT_ONCE)]
        return found


class Asgi(Gunicorn):
    """ASGI, with uvicorn as gunicorn's worker."""

    name = "asgi"

    def worker(self, part: Part) -> list[str]:
        return ["--worker-class", "backstage_uvicorn.Worker"]
