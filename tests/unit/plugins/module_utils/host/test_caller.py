# SPDX-License-Identifier: GPL-3.0-or-later
"""A run ends with its connection, and by a signal; files and terminals keep it (real processes)."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Union

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import caller, process
from waiting import eventually

from ...conftest import importing
from .test_process import running

MODULE = """
import contextlib, os, sys, time
from ansible_collections.backstage.django.plugins.module_utils.host import caller, locks, process
what, log, lock = sys.argv[1:]
def go_on():
    while not os.path.exists(log + ".go"): time.sleep(0.02)
def note(*words): print(*words, file=open(log, "a"), flush=True)
wait = {
    "a child": lambda: process.run(["sh", "-c", "sleep 65.5 & sleep 65.5"]),
    "a function": lambda: process.call_as(process.User("daemon", 1, 1, []), time.sleep, 65.5),
    "a lock": lambda: locks.held(lock, "bob", 65).__enter__(),
    "a file": lambda: go_on() or caller.check(),
}
caller.watch()
note("begins")
try:
    wait[what]()
    note("went on")
except caller.Abandoned as abandoned:
    note(abandoned)
    caller.check()
    process.run(["sleep", "0.1"])
    note("cleaned up")
"""
Output = Union[int, None]


def start(tmp_path: Path, what: str, output: Output = subprocess.PIPE) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", MODULE, what, str(tmp_path / "log"), str(tmp_path / ".lock")]
    child = subprocess.Popen(words, stdout=output, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=importing())
    eventually(lambda: bool(said(tmp_path)))
    return child


def said(tmp_path: Path) -> list[str]:
    log = tmp_path / "log"
    return log.read_text().splitlines() if log.exists() else []


def go_on(tmp_path: Path) -> None:
    (tmp_path / "log.go").touch()


def close(child: subprocess.Popen[bytes]) -> None:
    assert child.stdout is not None
    child.stdout.close()


ENDS: list[tuple[Callable[[subprocess.Popen[bytes]], None], str]] = [
    (close, "its parent has gone"),
    (lambda child: child.send_signal(signal.SIGHUP), "it was sent SIGHUP"),
    (lambda child: child.send_signal(signal.SIGINT), "it was sent SIGINT"),
    (lambda child: child.send_signal(signal.SIGTERM), "it was sent SIGTERM"),
]


@pytest.mark.parametrize(("end", "why"), ENDS)
def test_fault_30_a_child_and_its_own_are_ended(tmp_path: Path, end: Any, why: str) -> None:
    child = start(tmp_path, "a child")
    eventually(lambda: len(running("sleep 65.5")) == 2)
    end(child)
    began = time.monotonic()
    child.wait(100)
    assert time.monotonic() - began < 50
    assert said(tmp_path) == ["begins", f"the run was ended on this host: {why}", "cleaned up"]
    eventually(lambda: not running("sleep 65.5"))


@pytest.mark.parametrize("what", ["a function", "a lock"])
def test_fault_30_other_waits_end(tmp_path: Path, what: str) -> None:
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = start(tmp_path, what)
        time.sleep(0.5)
        close(child)
        child.wait(100)
    assert said(tmp_path)[1:] == ["the run was ended on this host: its parent has gone", "cleaned up"]


def test_output_into_a_file_keeps_the_run(tmp_path: Path) -> None:
    with (tmp_path / "output").open("wb") as output:
        child = start(tmp_path, "a file", output.fileno())
    go_on(tmp_path)
    assert child.wait(100) == 0
    assert said(tmp_path) == ["begins", "went on"]


@pytest.mark.parametrize("hung_up", [False, True])
def test_a_terminal_keeps_the_run_until_it_is_hung_up(tmp_path: Path, hung_up: bool) -> None:
    ours, theirs = pty.openpty()
    child = start(tmp_path, "a file", theirs)
    os.close(theirs)
    if hung_up:
        os.close(ours)
    go_on(tmp_path)
    child.wait(100)
    assert (said(tmp_path)[-1] == "cleaned up") == hung_up
    if not hung_up:
        os.close(ours)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    child = start(tmp_path, "a file")
    child.send_signal(signal.SIGTERM)
    eventually(lambda: not catches(child.pid, signal.SIGTERM))
    child.send_signal(signal.SIGTERM)
    assert child.wait(100) == -signal.SIGTERM


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_nothing_is_asked_where_nobody_watches() -> None:
    caller.check()


ORIGIN = """
import json
from ansible_collections.backstage.django.plugins.module_utils.host import caller, process
print(json.dumps(caller.origin()))
"""
ORIGINS = [
    # (variable of the module's own, of its parent, what is said)
    ("10.0.0.5 41178 10.0.0.9 22", "", "from 10.0.0.5"),
    ("", "fd00::5 41178 fd00::9 22", "from fd00::5"),
    ("", "", "started on this host"),
]


@pytest.mark.parametrize(("own", "parents", "told"), ORIGINS)
def test_where_a_run_comes_from(own: str, parents: str, told: str) -> None:
    """sudo drops the variable."""
    inner = ["env", *([f"SSH_CONNECTION={own}"] if own else ["-u", "SSH_CONNECTION"]), sys.executable, "-c", ORIGIN]
    environ = {**importing(), "SSH_CONNECTION": parents}
    shell = ["sh", "-c", '"$@"; true', "sh", *inner]
    done = subprocess.run(shell, env=environ, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == told


def test_where_a_run_comes_from_that_the_host_does_not_show() -> None:
    daemon = process.User("daemon", 1, 1, [])
    assert process.call_as(daemon, caller.origin) == "from an address that this host does not show"
