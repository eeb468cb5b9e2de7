# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gunicorn's configuration for all Sesses, in place of a gunicorn.conf.py that a project may have.

What differs between Sesses is in the command line of each.
"""

from __future__ import annotations

from typing import Any

# the Act is imported before READY is told and before the workers are forked: a mistake ends the start
preload_app = True
# nobody but nginx reaches the door
forwarded_allow_ips = "*"
# nginx opens a connection for each request: a kept one would keep visitors at the old Sess after a switch
keepalive = 0
# since gunicorn 25 it would write below the player's HOME
control_socket_disable = True
worker_tmp_dir = "/dev/shm"
umask = 0o027
accesslog = None
errorlog = "-"


def pre_fork(server: Any, worker: Any) -> None:
    """Give a new worker the first number that no other has: a roll call counts them."""
    taken = {other.backstage_number for other in server.WORKERS.values()}
    worker.backstage_number = next(number for number in range(1, len(taken) + 2) if number not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Tell the application which worker it is in."""
    server.app.wsgi().join(worker.backstage_number, server.cfg.workers)
