# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks: the second run waits or says who holds it, and the holder's death frees it (FAULTS 26, 27)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import caller, locks
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError


@contextmanager
def holder(path: Path, seconds: Optional[float] = None) -> Iterator[int]:
    """Another process that has the lock, until it is killed or for some seconds."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        with locks.held(str(path), "ada", 100):
            os.write(tell, b"x")
            time.sleep(seconds or 60)
        os._exit(0)
    os.read(told, 1)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(told)
        os.close(tell)


def test_fault_26_the_second_says_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with holder(path) as pid, pytest.raises(BackstageError) as refusal, locks.held(str(path), "bob", 0.3):
        pytest.fail("two hold it")
    said = str(refusal.value)
    assert re.search(rf"process {pid} of ada, \S.*, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d holds {path}", said)
    assert "lock_timeout" in said
    assert refusal.value.step == "lock"


def test_fault_26_the_second_waits(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    start = time.monotonic()
    with holder(path, 0.4), locks.held(str(path), "bob", 100):
        waited = time.monotonic() - start
        assert path.read_text().startswith(f"process {os.getpid()} of bob, {caller.origin()}, since ")
    assert waited > 0.3


def test_fault_26_who_waited_says_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".lock"
    monkeypatch.setattr(locks, "NOTICED", 0.01)
    with holder(path, 1.0) as pid, locks.held(str(path), "bob", 100) as notes:
        assert re.fullmatch(rf"waited \d+ s for process {pid} of ada, \S.*, since .*, which held {path}", notes[0])
    monkeypatch.setattr(locks, "NOTICED", 60)
    with locks.held(str(path), "bob", 100) as notes:
        assert notes == []


def test_fault_26_who_waits_says_for_whom_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and not where the wait is short."""
    path, told = tmp_path / ".lock", []
    monkeypatch.setattr(locks, "TOLD", 0.3)
    with holder(path, 1.0) as pid, locks.held(str(path), "bob", 100, told.append):
        pass
    assert len(told) == 1
    assert re.fullmatch(rf"waits for process {pid} of ada, \S.*, since .*, which holds {path}", told[0])
    monkeypatch.setattr(locks, "TOLD", 60)
    with holder(path, 0.1), locks.held(str(path), "bob", 100, told.append):
        pass
    assert len(told) == 1


def test_fault_27_a_killed_holder_frees_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with holder(path) as pid:
        os.kill(pid, signal.SIGKILL)
        with locks.held(str(path), "bob", 100):
            assert f"process {pid} " not in path.read_text()


def test_the_last_holder_may_take_its_directory_away(tmp_path: Path) -> None:
    """As a strike does: who waited for that lock holds the one that the next run will look for."""
    path = tmp_path / "production" / ".lock"
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        with locks.held(str(path), "ada", 100):
            os.write(tell, b"x")
            time.sleep(0.5)
            shutil.rmtree(path.parent)
        os._exit(0)
    os.read(told, 1)
    with locks.held(str(path), "bob", 100):
        assert path.read_text().startswith(f"process {os.getpid()} of bob")
    os.waitpid(pid, 0)
    os.close(told)
    os.close(tell)


def test_children_do_not_keep_it(tmp_path: Path) -> None:
    """A command that goes on behind a killed run must not hold the lock: it is closed on exec."""
    path = tmp_path / ".lock"
    with locks.held(str(path), "ada", 1):
        flags = [os.get_inheritable(int(fd)) for fd in os.listdir("/proc/self/fd") if path == target(fd)]
    assert flags == [False]


def target(descriptor: str) -> Optional[Path]:
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    except OSError:
        return None


def test_it_is_empty_and_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    for _again in range(2):
        with locks.held(str(path), "a" * 500, 0):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text() == ""
    with pytest.raises(ZeroDivisionError), locks.held(str(path), "ada", 0):
        raise ZeroDivisionError
    with locks.held(str(path), "ada", 0):
        pass


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / ".lock"
    victim.write_text("mine")
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"), locks.held(str(path), "ada", 0):
        pytest.fail("it was followed")
    assert victim.read_text() == "mine"
