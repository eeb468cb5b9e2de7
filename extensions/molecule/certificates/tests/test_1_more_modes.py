# SPDX-License-Identifier: GPL-3.0-or-later
"""The other changes of mode: with those of test_1_modes.py, from each mode to each. Only CAMPAIGN=1 runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from secured import CORNER, Secured, pleased
from test_1_modes import HTTP, HTTPS, own

WAY = [
    ("acme", "selfsigned"),
    ("selfsigned", "none"),
    ("none", "files"),
    ("files", "selfsigned"),
    ("selfsigned", "acme"),
    ("acme", "files"),
    ("files", "none"),
    ("none", "acme"),
]
"""Each begins where the one before it ended; the last one is for the tests that follow."""


@pytest.mark.parametrize(("before", "after"), WAY)
def test_from_mode_to_mode(street: Secured, tmp_path: Path, before: str, after: str) -> None:
    """Visitors by HTTP all the time; by HTTPS if both modes have it."""
    assert street.venues[CORNER]["tls"]["mode"] == before
    given: dict[str, Any] = own(tmp_path) if after == "files" else {}
    visits = HTTP if "none" in (before, after) else (*HTTP, *HTTPS)
    with street.watched("-", *visits) as seen:
        street.secure(mode=after, **given)
    for accounts in pleased(seen):
        if HTTPS[0] in accounts:
            assert accounts[HTTPS[0]]["certificates"] == 2
    assert street.play() == []
    print([{visit: [found["requests"], found["resent"]] for visit, found in accounts.items()} for accounts in seen])
