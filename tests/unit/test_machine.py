# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests see nothing of the machine: no process, user, port, service or Production of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Machine


def test_no_process_but_ours(machine: Machine) -> None:
    assert [pid for pid, parent in machine.parents.items() if parent == 0] == [1]
    assert re.search("pytest|apart", machine.first)


def test_no_user_but_debians_own(machine: Machine) -> None:
    """Those that tests make are in an /etc that goes with the run."""
    master = Path("/usr/share/base-passwd/passwd.master").read_text().splitlines()
    assert machine.users == {line.split(":")[0] for line in master}


def test_nothing_of_its_services(machine: Machine) -> None:
    assert machine.services == []


def test_nothing_of_its_productions(machine: Machine) -> None:
    assert [path for path, names in machine.productions.items() if names] == []


def test_its_ports_are_free(machine: Machine) -> None:
    """Also that of its nginx: two sockets on one port don't meet where the networks are two."""
    assert machine.port_80_is_free


def test_what_is_made_here_goes_with_the_run(machine: Machine) -> None:
    """Processes end with the first one, and what was written to /etc lies in memory."""
    assert [kind for place, kind in machine.mounts if place == "/etc"][-1] == "tmpfs"
