# SPDX-License-Identifier: GPL-3.0-or-later
"""Which system a host runs, and whether Backstage plays there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.system import System

RELEASES = [
    # (os-release, its name, what is refused)
    (
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
        "Debian GNU/Linux 12 (bookworm)",
        [],
    ),
    ("ID=debian\nVERSION_ID='13'\nPRETTY_NAME=trixie", "trixie", []),
    ('ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian 11"\n', "Debian 11", ["Debian 11"]),
    ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\n', "Debian GNU/Linux forky/sid", ["forky/sid"]),
    ('ID=ubuntu\nVERSION_ID="12"\nPRETTY_NAME="Ubuntu 12"\n', "Ubuntu 12", ["Ubuntu 12"]),
    ("", "an unknown system", ["an unknown system"]),
]


@pytest.mark.parametrize(("release", "name", "refused"), RELEASES)
def test_where_backstage_plays(tmp_path: Path, release: str, name: str, refused: list[str]) -> None:
    (tmp_path / "os-release").write_text(release, encoding="utf-8")
    system = System.read(str(tmp_path / "os-release"))
    assert system.name == name
    assert [word in line for word, line in zip(refused, system.refusals())] == [True] * len(refused)
    assert all(line.endswith("; Backstage plays on Debian 12 and 13.") for line in system.refusals())


def test_a_host_without_the_file(tmp_path: Path) -> None:
    assert System.read(str(tmp_path / "none")).refusals() != []


def test_what_the_kernel_allows() -> None:
    system = System.read()
    assert system.somaxconn == int(Path("/proc/sys/net/core/somaxconn").read_text())
    assert system.ipv6 == os.path.exists("/proc/net/if_inet6")
    assert not system.systemd, "the namespaces of the unit tests have no systemd"
