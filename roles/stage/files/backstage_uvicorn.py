# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""uvicorn as a worker of gunicorn, with an end to its grace: gunicorn's own is SIGKILL."""

from __future__ import annotations

from typing import Any

from uvicorn_worker import UvicornWorker

EARLIER = 2
"""Seconds."""


class Worker(UvicornWorker):
    """Closes WebSockets with 1012 at SIGTERM, and ends what is being answered in time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config.timeout_graceful_shutdown = max(self.cfg.graceful_timeout - EARLIER, 1)
        self.config.server_header = False
