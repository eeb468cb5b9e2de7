# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a user: found whatever they do to hide, ended, and nobody else's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import process, user_processes, users
from waiting import eventually

from ...conftest import Crew

PYTHON = "/usr/bin/python3"

MARK = "63.125"
UNDUMPABLE = f"import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print(flush=True); time.sleep({MARK})"
BUILDERS = [
    ("one", f"echo; exec sleep {MARK}"),
    ("that ignores signals", f"trap '' TERM HUP INT; echo; while :; do sleep {MARK}; done"),
    ("that left its session", f"setsid sleep {MARK} & echo; wait"),
    ("whose /proc is root's", f"exec {PYTHON} -c '{UNDUMPABLE}'"),
    ("in namespaces of its own", f"unshare --user --pid --fork sh -c 'echo; exec sleep {MARK}'"),
    ("that makes more and more", f"while :; do sleep {MARK} & [ $((n += 1)) -eq 20 ] && echo && wait; done"),
]


@contextmanager
def command(user: process.User, line: str) -> Iterator[subprocess.Popen[bytes]]:
    identity: dict[str, Any] = {"user": user.uid, "group": user.gid, "extra_groups": []}
    with subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, cwd="/", **identity) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield child
        finally:
            child.kill()


def of(user: process.User) -> list[int]:
    """The builder's sleepers by the kernel's own word, which a process can't hide.

    Containers of this machine may have processes of the same uid: they are somebody else's.
    """
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            said = dict(line.split(":", 1) for line in status.read_text().splitlines())
            ours = MARK in (status.parent / "cmdline").read_text()
            if ours and said["Uid"].split()[0] == str(user.uid) and not said["State"].strip().startswith("Z"):
                found.append(int(status.parent.name))
    return found


@pytest.mark.parametrize("line", [row[1] for row in BUILDERS], ids=[row[0] for row in BUILDERS])
def test_end_all(crew: Crew, line: str) -> None:
    with command(crew.player, f"echo; exec sleep {MARK}") as other:
        with command(crew.builder, line):
            eventually(lambda: of(crew.builder))  # one that is executed has no command line for a moment
            try:
                user_processes.end_all(crew.builder)
                left = of(crew.builder)
            finally:
                for pid in of(crew.builder):
                    os.kill(pid, signal.SIGKILL)
        assert left == []
        assert other.poll() is None, "another user's process was ended"


def test_a_process_whose_namespaces_root_may_not_read_is_found(crew: Crew) -> None:
    """Without CAP_SYS_PTRACE, as in most containers, root can't read /proc/PID/ns of others."""
    program = (
        "import sys; from ansible_collections.backstage.django.plugins.module_utils.host import user_processes;"
        " print(*user_processes.of(int(sys.argv[1])))"
    )
    bounded = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    argv = [*bounded, PYTHON, "-c", program, str(crew.builder.uid)]
    env = {"PATH": process.PATH, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
    with command(crew.builder, f"setsid sleep {MARK} & echo; wait"):
        try:
            found = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout.split()
            assert {*map(str, of(crew.builder))} <= {*found}
        finally:
            user_processes.end_all(crew.builder)


def test_a_user_is_removed_after_its_last_process(crew: Crew) -> None:
    name = crew.player.name + "x"
    user = users.ensure(name, "/nonexistent", "of a test")
    with command(user, f"setsid sleep {MARK} & echo; wait"):
        users.remove(name)
        assert of(user) == []
    assert users.find(name) is None
