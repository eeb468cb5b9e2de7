# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests see nothing of the machine: no process, user, port, service or Production of it."""

from __future__ import annotations

import os
import pwd
import re
import socket
from pathlib import Path

import pytest

TESTS = ("Backstage u", "Backstage of a test")
"""What the users say of themselves that other tests make: real ones have their Production's name there."""


def test_no_process_but_ours() -> None:
    parents = {1: 0}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        parents[int(pid)] = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    assert [pid for pid, parent in parents.items() if parent == 0] == [1]
    assert re.search("pytest|apart", Path("/proc/1/cmdline").read_text())


def test_no_user_but_debians_own() -> None:
    """Those that other tests make are in an /etc that goes with the run."""
    master = Path("/usr/share/base-passwd/passwd.master").read_text().splitlines()
    known = {line.split(":")[0] for line in master}
    found = {entry.pw_name for entry in pwd.getpwall() if not entry.pw_gecos.startswith(TESTS)}
    assert found == known


@pytest.mark.parametrize(
    "path",
    ["/etc/nginx", "/etc/backstage", "/etc/uwsgi-emperor", "/etc/postgresql", "/etc/systemd", "/run/nginx.pid"],
)
def test_nothing_of_its_services(path: str) -> None:
    assert not os.path.lexists(path)


@pytest.mark.parametrize("path", ["/run", "/srv/backstage", "/var/log/backstage", "/usr/local/lib/backstage"])
def test_nothing_of_its_productions(path: str) -> None:
    assert not os.path.isdir(path) or os.listdir(path) == []


def test_its_ports_are_free() -> None:
    """Also that of its nginx: two sockets on one port don't meet where the networks are two."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 80))


def test_what_is_made_here_goes_with_the_run() -> None:
    """Processes end with the first one, and what was written to /etc lies in memory."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    assert [kind for _device, place, kind, *_more in mounts if place == "/etc"][-1] == "tmpfs"
