# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes and memory of a family of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import processes, usage

SIZE = 50 * 2**20
FAMILY = f"""
import os, sys, time
block = bytearray(os.urandom(1024)) * {SIZE // 1024}
if os.fork() == 0:
    if os.fork() == 0:
        print("ready", flush=True)
    time.sleep(60)
time.sleep(60)
"""


@pytest.fixture
def family() -> Iterator[int]:
    """A parent with 50 MiB, a child and a grandchild that share them."""
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        assert first.stdout.readline() == "ready\n"
        members = usage._family(first.pid)
        yield first.pid
        for pid in members:
            os.kill(pid, 9)


def test_what_a_family_shares_is_counted_once(family: int) -> None:
    found = usage.of(family)
    assert found.processes == 3
    assert SIZE < found.memory < 2 * SIZE


def test_without_the_right_to_see_what_is_shared_it_is_counted_for_each(
    family: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel refuses smaps_rollup to root without CAP_SYS_PTRACE: as text_of tells it."""
    read = processes.text_of
    monkeypatch.setattr(processes, "text_of", lambda path: "" if path.endswith("rollup") else read(path))
    found = usage.of(family)
    assert found.processes == 3
    assert 3 * SIZE < found.memory < 4 * SIZE


@pytest.mark.parametrize("pid", [-1, 0, 1, 2**22 + 1])
def test_what_is_no_process_of_a_sess_uses_nothing(pid: int) -> None:
    """The emperor says -1 of a vassal without a process."""
    assert usage.of(pid) == usage.Usage(0, 0)
