# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests see nothing of the machine that they run on: they run in namespaces of their own (apart.py)."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import apart


def pytest_configure(config: pytest.Config) -> None:
    """Before any test is imported. Of pytest-xdist only the workers run tests, and each is started by apart.py."""
    assert os.geteuid() == 0, "run these tests as root"
    if config.option.collectonly or apart.OUTSIDE in os.environ:
        return
    if config.getoption("tx", None):
        assert all("apart.py" in worker for worker in config.getoption("tx")), "use make units, not -n: see Makefile"
        return
    try:
        apart.move_out()
    except OSError as why:
        pytest.exit(str(why.strerror), returncode=1)


SERVICES = ("/etc/nginx", "/etc/backstage", "/etc/uwsgi-emperor", "/etc/postgresql", "/etc/systemd", "/run/nginx.pid")
PRODUCTIONS = ("/run", "/srv/backstage", "/var/log/backstage", "/usr/local/lib/backstage")


@dataclass(frozen=True)
class Machine:
    """What the tests of this process could see before the first of them ran."""

    parents: dict[int, int]
    """The parent of each process."""
    first: str
    """The command line of process 1."""
    users: set[str]
    services: list[str]
    """The files of services that are there."""
    productions: dict[str, list[str]]
    """What lies in each directory of a Production that is there."""
    mounts: list[tuple[str, str]]
    """Place and kind of each mount."""
    port_80_is_free: bool

    @classmethod
    def now(cls) -> Machine:
        parents = {
            int(pid): int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            for pid in filter(str.isdigit, os.listdir("/proc"))
        }
        with socket.socket() as server:
            port_80_is_free = True
            try:
                server.bind(("127.0.0.1", 80))
            except OSError:
                port_80_is_free = False
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        return cls(
            parents,
            Path("/proc/1/cmdline").read_text(),
            {entry.pw_name for entry in pwd.getpwall()},
            [path for path in SERVICES if os.path.lexists(path)],
            {path: os.listdir(path) for path in PRODUCTIONS if os.path.isdir(path)},
            [(place, kind) for _device, place, kind, *_more in mounts],
            port_80_is_free,
        )


@pytest.fixture(scope="session", autouse=True)
def _signals() -> None:
    """Whoever starts the tests may ignore these, as nohup does, and then all that they start would ignore them, too."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def machine() -> Machine:
    """The machine before the first test: later ones make users and directories in it."""
    return Machine.now()


@pytest.fixture(scope="session")
def outside() -> Callable[[], None]:
    """For a child that fetches packages, before it is executed: the machine's network."""
    return apart.enter_outside
