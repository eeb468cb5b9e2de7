# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a worker of Ansible lives."""

from __future__ import annotations

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_ansible() -> None:
    """Have this worker end when ansible-playbook is killed.

    Ansible gives each worker a session of its own. A worker that is left alone would keep its connection, and so the
    module on the host, until the module ends. On SIGTERM it ends its connection, too (ansible-core 2.19).
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
