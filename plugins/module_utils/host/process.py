# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run child processes: only from argv lists, as the right user, and never longer than their parent.

A child drops its groups, gid and uid, gets a new environment and no open descriptors, and is killed
when the module ends. The parent-death signal is set after the uid changes, which would clear it, and
before exec (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import grp
import json
import os
import pwd
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional

from . import caller, pipes
from .errors import BackstageError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class User:
    """The user that a child runs as, and the umask for what it creates."""

    name: str
    uid: int
    gid: int
    groups: Sequence[int]
    umask: int = 0o027

    @classmethod
    def named(cls, name: str) -> User:
        """Look the user up.

        Raises:
            BackstageError: there is no such user.
        """
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise BackstageError(f"the system user '{name}' is missing on this host") from None
        return cls(name, entry.pw_uid, entry.pw_gid, os.getgrouplist(name, entry.pw_gid))


@dataclass(frozen=True)
class Result:
    """How a child ended.

    Args:
        code: its exit code; below 0 the signal that killed it.
        out: the end of what it wrote.
        err: the end of its errors.
        late: whether it ran out of time.
        left_out: bytes that are missing at the beginning of out.
    """

    code: int
    out: str
    err: str
    late: bool = False
    left_out: int = 0

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def said(self) -> str:
        """Return everything that it printed, errors last."""
        return "\n".join(part for part in (self.out.strip(), self.err.strip()) if part)


def _bind_to(parent: int, restrained: bool) -> Callable[[], None]:
    def prepare() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if restrained:
            _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def run(
    argv: list[str],
    user: Optional[User] = None,
    env: Optional[dict[str, str]] = None,
    cwd: str = "/",
    stdin: str = "",
    report: int = 0,
    timeout: float = 3600,
    together: bool = False,
    keep: int = pipes.KEPT,
) -> Result:
    """Run a command to its end. If this module ends, the command and its process group are killed.

    Args:
        argv: the command as a list of words, never a shell's line.
        user: the user to run as; None for root.
        env: the whole environment; only PATH and LC_ALL are added.
        cwd: where to run it.
        stdin: what it reads.
        report: the maximum size of a report. If it is not 0, the number of a descriptor is appended to argv. What is
            written there is ``out``, and all that it prints is in ``err``. The report's end is the command's end.
        timeout: seconds until it and its group are killed. Then ``late`` and ``err`` say so.
        together: whether ``out`` gets errors, too, in the order of printing.
        keep: the number of bytes at the end of each output that are kept.
    """
    identity: dict[str, Any] = {}
    if user is not None:
        identity = {"user": user.uid, "group": user.gid, "extra_groups": list(user.groups)}
    read_end, write_end = os.pipe() if report else (-1, -1)
    try:
        with subprocess.Popen(
            [*argv, str(write_end)] if report else argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", **(env or {})},
            umask=user.umask if user else 0o027,
            start_new_session=True,
            pass_fds=(write_end,) if report else (),
            preexec_fn=_bind_to(os.getpid(), user is not None),  # noqa: PLW1509 -- a module has one thread
            **identity,
        ) as child:
            if report:
                os.close(write_end)
                write_end = -1
            tails = {stream.fileno(): pipes.Tail(keep) for stream in (child.stdout, child.stderr) if stream}
            reported = {read_end: pipes.Tail(report)} if report else {}
            in_time = pipes.Talk(child, stdin.encode(), {**tails, **reported}, read_end).run(timeout)
    finally:
        for descriptor in (read_end, write_end):
            if descriptor >= 0:
                os.close(descriptor)
    said = [*reported.values(), *tails.values()]
    out, *rest = [tail.text() for tail in said]
    err = "".join(rest) + ("" if in_time else f"\nended after {timeout:.0f} s")
    return Result(child.returncode, out, err, not in_time, said[0].left_out)


def call_as(
    user: User, function: Callable[..., Any], *args: Any, timeout: float = 600, pass_fds: Sequence[int] = ()
) -> Any:
    """Call a function in a child process that runs as the user, and return its result, which has to fit into JSON.

    Raises:
        BackstageError: the function raised it, took too long, or died.
    """
    read_end, write_end = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _answer_and_exit(user, parent, write_end, pass_fds, function, args)
    os.close(write_end)
    answer: Optional[bytes] = None
    try:
        answer = _read_before(read_end, time.monotonic() + timeout)
    finally:
        if answer is None:
            _kill(pid)
        _pid, status = os.waitpid(pid, 0)
    if answer is None:
        name = getattr(function, "__name__", "function").strip("_")
        raise BackstageError(f"'{name}', run as {user.name}, gave no answer within {timeout:g} s, and was killed")
    if not answer:
        code = os.waitstatus_to_exitcode(status)
        raise BackstageError(f"a step run as {user.name} ended with status {code} and no answer")
    kind, value = json.loads(answer)
    if kind == "error":
        raise BackstageError(*value)
    return value


def _answer_and_exit(
    user: User, parent: int, pipe: int, keep: Sequence[int], function: Callable[..., Any], args: Sequence[Any]
) -> None:
    code = 1
    try:
        os.setsid()
        os.setgroups(list(user.groups))
        os.setgid(user.gid)
        os.setuid(user.uid)
        _bind_to(parent, True)()
        caller.forget()
        os.umask(user.umask)
        os.environ.clear()
        os.environ.update({"PATH": PATH, "LC_ALL": "C.UTF-8"})
        for descriptor in os.listdir("/proc/self/fd"):
            if int(descriptor) > 2 and int(descriptor) not in (pipe, *keep):
                try:
                    os.close(int(descriptor))
                except OSError:
                    continue  # the descriptor of the listing itself
        try:
            answer = ["ok", function(*args)]
        except BackstageError as error:
            answer = ["error", [error.message, "", error.step, error.log]]
        except (OSError, ValueError) as error:
            answer = ["error", [str(error)]]
        with os.fdopen(pipe, "w") as out:
            json.dump(answer, out)
        code = 0
    finally:
        os._exit(code)


def _kill(pid: int) -> None:
    """Kill a child that leads a process group, or is about to."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _read_before(descriptor: int, deadline: float) -> Optional[bytes]:
    chunks: list[bytes] = []
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if not select.select([pipe], [], [], min(left, 1))[0]:
                caller.check()
                continue
            chunk = pipe.read(65536)
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)


def group_id(name: str) -> int:
    """Return the id of a group.

    Raises:
        BackstageError: there is no such group.
    """
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise BackstageError(f"the system group '{name}' is missing on this host") from None
