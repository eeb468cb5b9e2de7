# SPDX-License-Identifier: GPL-3.0-or-later
"""The primary on Debian 13 and the secondary on Debian 12, on new hosts. Only CAMPAIGN=1 runs this."""

from __future__ import annotations

from pathlib import Path

from challenges import answers_challenges
from conftest import NAMES, Almanac
from faults.controller import Controller
from faults.house import scenario


def test_the_other_way_round(almanac: Almanac, tmp_path: Path) -> None:
    for server in almanac.servers:
        server.garage("fresh")
    almanac.host.put()
    controller = Controller(scenario("producer") / "turned", tmp_path, "h1,h2")
    secondary, primary = almanac.servers
    assert controller.start("site").end(900).code == 0
    run = controller.play("site")
    assert (run.code, run.changed) == (0, 0), run.printed[-3000:]
    assert {f"{name} A {almanac.address}" for name in NAMES} < set(almanac.records(primary))
    assert almanac.records(secondary) == almanac.records(primary)
    answers_challenges(almanac, primary, secondary)
    assert controller.play("strike").code == 0
    assert almanac.records(secondary) == almanac.records(primary)
    assert [line for line in almanac.records(secondary) if "hall" in line] == []
