# SPDX-License-Identifier: GPL-3.0-or-later
"""Two equal runs of the scenario killed have equal snapshots, though each plays another take."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "faults" / "on_host"))

import snapshot

TAKES = [
    ('TAKE = "take-0012"', 'TAKE = "take-n"'),
    ("code/band/migrations/9_take-0012.py", "code/band/migrations/9_take-n.py"),
    ("band.9_take-0012", "band.9_take-n"),
    ("mistake-0012", "mistake-0012"),
    ("take-first", "take-first"),
]


@pytest.mark.parametrize(("text", "plain"), TAKES)
def test_the_number_of_a_take_is_left_out(text: str, plain: str) -> None:
    assert snapshot.Names("nobody").plain(text) == plain
