# SPDX-License-Identifier: GPL-3.0-or-later
"""Shipped sources on their way: whole, unchanged, root's own, and gone after the run."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.productions import spool

from ...house import House
from ...told import told

CONTENT = os.urandom(3 << 20)


@pytest.fixture
def arrived(tmp_path: Path) -> dict[str, str]:
    """A source in the connection's temporary directory."""
    (tmp_path / "a").write_bytes(CONTENT)
    return {"path": str(tmp_path / "a"), "sha256": hashlib.sha256(CONTENT).hexdigest()}


def test_taken_in_and_swept(house: House, arrived: dict[str, str]) -> None:
    for _again in range(2):
        taken = spool.take_in(house.paths, {"kittens": arrived, "dogs": arrived})
    path = Path(house.paths.spool, arrived["sha256"])
    assert taken == {"kittens": str(path), "dogs": str(path)}
    assert path.read_bytes() == CONTENT
    modes = [stat.S_IMODE(os.stat(entry).st_mode) for entry in (house.paths.root, house.paths.spool, path)]
    assert modes == [0o755, 0o700, 0o600]
    spool.sweep(house.paths)
    spool.sweep(house.paths)
    assert not os.path.exists(house.paths.spool)


def test_nothing_arrived(house: House) -> None:
    assert spool.take_in(house.paths, {}) == {}
    assert not os.path.exists(house.paths.root)


def test_something_else_arrived(house: House, arrived: dict[str, str]) -> None:
    wrong = {**arrived, "sha256": "0" * 64}
    said = told(spool.take_in, house.paths, {"kittens": wrong})
    assert said == "the source was changed on its way to this host; run again"
    assert os.listdir(house.paths.spool) == []


def test_what_a_killed_run_left_is_in_nobodys_way(house: House, arrived: dict[str, str]) -> None:
    os.makedirs(house.paths.spool)
    for name in (arrived["sha256"], arrived["sha256"] + ".new"):
        Path(house.paths.spool, name).write_text("half")
    taken = spool.take_in(house.paths, {"kittens": arrived})["kittens"]
    assert Path(taken).read_bytes() == CONTENT
