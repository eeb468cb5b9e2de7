# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces of their own for unit tests: ``apart.py ARGUMENT...`` runs Python with these arguments in them.

What runs there has no processes but its own, an empty ``/run``, an ``/etc`` with Debian's own users and what programs
need to run, and a network of its own with nobody else's ports. What it makes there goes with it, even if it is killed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
from pathlib import Path

# sched.h, sys/mount.h, sys/prctl.h, net/if.h, bits/ioctls.h
_NEW_MOUNTS, _NEW_IPC, _NEW_PROCESSES, _NEW_NETWORK = 0x00020000, 0x08000000, 0x20000000, 0x40000000
_RECURSIVE, _PRIVATE, _BIND = 0x4000, 1 << 18, 0x1000
_PARENT_DEATH_SIGNAL = 1
_SET_FLAGS, _UP = 0x8914, 0x1
_LIBC = ctypes.CDLL(None, use_errno=True)

OUTSIDE = "BACKSTAGE_TESTS_OUTSIDE"
"""The environment variable with the descriptor of the machine's network: it is set in the namespaces only."""
HIDDEN = (
    "/run",
    "/srv/backstage",
    "/var/log/backstage",
    "/var/log/nginx",
    "/usr/local/lib/backstage",
    "/usr/local/share/backstage",
)
"""Empty for the tests, if the machine has them."""
KEPT = (
    "alternatives",
    "debian_version",
    "default",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "login.defs",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "pam.d",
    "pip.conf",
    "protocols",
    "python3*",
    "resolv.conf",
    "security",
    "services",
    "ssl",
    "uv",
)
"""What programs need of /etc. Everything else there is the machine's: services, users, Productions."""


def move_out() -> None:
    """Go on in new namespaces; this process waits for the one that goes on, and ends as it ends.

    It forks, so no other thread may run yet.

    Raises:
        OSError: The kernel refuses a namespace or a mount.
    """
    outside = os.open("/proc/self/ns/net", os.O_RDONLY)
    os.set_inheritable(outside, True)
    os.environ[OUTSIDE] = str(outside)
    _call("unshare", _NEW_MOUNTS | _NEW_IPC | _NEW_PROCESSES | _NEW_NETWORK)
    first = os.fork()
    if first:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests end by it, and say so
        _end_with(first)
    _call("prctl", _PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    tests = os.fork()
    if tests:  # process 1: reaps what lost its parent; everything ends with it
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _end_with(tests)
    _call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    _call("mount", b"proc", b"/proc", b"proc", 0, None)
    _lay_etc()
    for path in filter(os.path.isdir, HIDDEN):
        _call("mount", b"none", path.encode(), b"tmpfs", 0, b"mode=755")
    with socket.socket() as any_socket:
        _call("ioctl", any_socket.fileno(), _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        need = "unit tests need namespaces of their own (CAP_SYS_ADMIN, CAP_NET_ADMIN)"
        raise OSError(number, f"{need}, and {name} says: {os.strerror(number)}")


def _end_with(child: int) -> None:
    """Reap until this child has ended, and end as it did."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _lay_etc() -> None:
    """An /etc in memory, as a fresh Debian has it."""
    etc = Path(tempfile.mkdtemp(prefix="bs-etc-"))
    _call("mount", b"none", str(etc).encode(), b"tmpfs", 0, b"mode=755")
    for pattern in KEPT:
        for path in Path("/etc").glob(pattern):
            if path.is_dir():
                shutil.copytree(path, etc / path.name, symlinks=True)
            else:  # what a link leads to: it may lie in /run
                shutil.copy(path, etc / path.name)
    for name in ("passwd", "group"):
        shutil.copy(f"/usr/share/base-passwd/{name}.master", etc / name)
    for name in ("shadow", "gshadow"):
        (etc / name).touch(0o640)
    _call("mount", str(etc).encode(), b"/etc", None, _BIND, None)
    _call("umount", str(etc).encode())
    etc.rmdir()


def enter_outside() -> None:
    """Move this process into the machine's network: for a child that fetches packages, before it is executed."""
    _call("setns", int(os.environ[OUTSIDE]), _NEW_NETWORK)


if __name__ == "__main__":
    move_out()
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
