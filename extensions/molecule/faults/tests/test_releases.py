# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that go wrong: visitors never notice, the run says why in one line, and the next good run converges."""

from __future__ import annotations

from typing import Any

import pytest
from faults.house import House, assert_told, expectations, same

EXPECTED = expectations()


def goes_wrong(house: House, name: str, **changes: Any) -> None:
    """Deploy a release that fails, beside visitors; then the good one again."""
    fault = EXPECTED[name]
    before, bystander = house.playing(), house.traces("steady")
    with house.visitors() as visitors:
        run = house.play(acts={"shaky": fault.get("act", {})}, **changes)
    print(run.message); print(run.log)
    assert_told(run, fault)
    visitors.all_pleased()
    same(before, house.playing())
    assert house.leftovers() == []
    comes_back(house, before)
    assert house.traces("steady") == bystander


def comes_back(house: House, before: dict[str, Any]) -> None:
    """The next good run ends as if nothing had been."""
    good = house.play()
    assert good.code == 0, good.message
    same(before, house.playing())
    assert house.leftovers() == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_all(house: House, name: str) -> None:
    goes_wrong(house, name)
