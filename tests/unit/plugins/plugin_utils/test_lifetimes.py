# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker ends with the ansible-playbook that forked it (real processes)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from ..conftest import importing

ANSIBLE = """
import os, signal, time
from ansible_collections.backstage.django.plugins.plugin_utils import lifetimes
if os.fork() == 0:
    os.setsid()
    lifetimes.end_with_ansible()
    print("ready", flush=True)
    time.sleep(60)
time.sleep(60)
"""


def test_fault_01_a_killed_ansible_leaves_no_worker() -> None:
    command = [sys.executable, "-c", ANSIBLE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=importing()) as ansible:
        assert ansible.stdout is not None
        assert ansible.stdout.readline() == b"ready\n"
        os.kill(ansible.pid, signal.SIGKILL)
        assert ansible.stdout.read() == b"", "the worker's end closes its output"
