# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Child processes: argv lists only, as whoever should run them, and never longer than their parent.

A child drops its groups, gid and uid, gets a fresh environment and no open descriptor, and dies
with the module: the parent-death signal is set after the drop (a change of uid clears it) and
before exec (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import grp
import json
import os
import pwd
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional

from .errors import BackstageError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class User:
    """Whom a child runs as, and which permissions are taken off what it makes."""

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
    """How a child ended."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def said(self) -> str:
        """All that it printed, errors last."""
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
    report: bool = False,
    timeout: float = 3600,
    together: bool = False,
) -> Result:
    """Run a command to its end.

    Args:
        argv: the command, never a shell's line.
        user: whom to run as; None for root.
        env: the whole environment; only PATH and LC_ALL are added.
        cwd: where to run it.
        stdin: what it reads.
        report: append the number of a descriptor to argv and return what was written there as
            ``out``; all that was printed is then in ``err``.
        timeout: seconds until it and its group are killed; ``err`` says so then.
        together: all that is printed is in ``out``, in its order.
    """
    identity: dict[str, Any] = {}
    if user is not None:
        identity = {"user": user.uid, "group": user.gid, "extra_groups": list(user.groups)}
    with tempfile.TemporaryFile() as answer:
        descriptors = (answer.fileno(),) if report else ()
        with subprocess.Popen(
            [*argv, *map(str, descriptors)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            cwd=cwd,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", **(env or {})},
            umask=user.umask if user else 0o027,
            start_new_session=True,
            pass_fds=descriptors,
            preexec_fn=_bind_to(os.getpid(), user is not None),  # noqa: PLW1509 -- a module has one thread
            **identity,
        ) as child:
            out, err = _communicate(child, stdin, timeout)
        if not report:
            return Result(child.returncode, _text(out), _text(err))
        answer.seek(0)
        return Result(child.returncode, _text(answer.read()), _text(out + err))


def _communicate(child: subprocess.Popen[bytes], stdin: str, timeout: float) -> tuple[bytes, bytes]:
    """Talk to a child until it has ended; a daemon of its making may hold its output for as long as it lives."""
    deadline, given = time.monotonic() + timeout, stdin.encode()
    while True:
        left = max(0.0, deadline - time.monotonic())
        try:
            out, err = child.communicate(given, timeout=min(left, 1))
            return out, err or b""
        except subprocess.TimeoutExpired:
            given = b""  # it goes on with what it was given
        if child.poll() is not None:
            return _rest(child)
        if left <= 1:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = _rest(child)
            return out, err + f"\nended after {timeout:.0f} s".encode()


def _rest(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a child that has ended still had to say."""
    try:
        out, err = child.communicate(timeout=5)
    except subprocess.TimeoutExpired as still:
        return still.stdout or b"", still.stderr or b""
    return out, err or b""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def call_as(
    user: User, function: Callable[..., Any], *args: Any, timeout: float = 600, pass_fds: Sequence[int] = ()
) -> Any:
    """Call a function in a child that has dropped to the user; return its JSON-able result.

    Raises:
        BackstageError: the function's own message, or that it took too long or died.
    """
    read_end, write_end = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _answer_and_exit(user, parent, write_end, pass_fds, function, args)
    os.close(write_end)
    answer = _read_before(read_end, pid, time.monotonic() + timeout)
    _pid, status = os.waitpid(pid, 0)
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
        os.umask(user.umask)
        os.environ.clear()
        os.environ.update({"PATH": PATH, "LC_ALL": "C.UTF-8"})
        for descriptor in os.listdir("/proc/self/fd"):
            if int(descriptor) > 2 and int(descriptor) not in (pipe, *keep):
                try:
                    os.close(int(descriptor))
                except OSError:
                    continue  # the listing's own descriptor
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


def _read_before(descriptor: int, pid: int, deadline: float) -> bytes:
    chunks: list[bytes] = []
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                os.kill(pid, signal.SIGKILL)
                return b""
            chunk = pipe.read(65536)
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)


def group_id(name: str) -> int:
    """The id of a group.

    Raises:
        BackstageError: there is no such group.
    """
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise BackstageError(f"the system group '{name}' is missing on this host") from None
