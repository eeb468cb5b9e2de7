# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of this host, by real ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.host import processes

from ...conftest import importing


def test_a_process_is_older_than_what_was_written_after_it_started(tmp_path: Path) -> None:
    """Unless the file is said to have been written long ago, or to be written in time to come."""
    file = tmp_path / "emperor.ini"
    file.touch()
    pid = os.getpid()
    assert processes.is_older(pid, [str(file)])
    os.utime(file, (0, 0))
    assert not processes.is_older(pid, [str(file)])
    os.utime(file, (time.time() + 3600,) * 2)
    assert not processes.is_older(pid, [str(file)])
    assert not processes.is_older(pid, [str(tmp_path / "none")])
    assert not processes.is_older(0, [str(file)])


def test_started_agrees_with_the_clock() -> None:
    before = time.time()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        since = processes.started(child.pid)
        child.communicate(b"\n")
    assert since is not None
    assert before - 0.1 <= since <= time.time()
    assert processes.started(0) is None


def test_children_with_their_titles() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        while not processes.text_of(f"/proc/{child.pid}/cmdline"):  # it has begun to be another program
            time.sleep(0.01)
        assert processes.children(os.getpid())[child.pid] == "sleep 60"
        assert child.pid in processes.here()
    finally:
        child.kill()
        child.wait()


def test_processes_whose_namespaces_root_may_not_read_are_seen() -> None:
    """Without CAP_SYS_PTRACE, as in most containers, root can't read /proc/PID/ns of other users' processes."""
    bounded = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    program = f"from {processes.__name__} import here; print(*here())"
    other = subprocess.Popen(["sleep", "60"], user=65534, group=65534, extra_groups=[])
    try:
        done = subprocess.run(
            [*bounded, sys.executable, "-c", program], env=importing(), capture_output=True, text=True, check=True
        )
    finally:
        other.kill()
        other.wait()
    assert str(other.pid) in done.stdout.split()
