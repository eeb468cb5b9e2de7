# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act's builder and its live player work together while root seals the release."""

from __future__ import annotations

import pytest
from hostile.stranger import Stranger

VICTIMS = ["/etc/shadow", "/srv/backstage/jazz/acts/victim/data"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_fault_42_a_race_during_the_seal_changes_no_foreign_file(stranger: Stranger, victim: str) -> None:
    before = stranger.host.sh(f"stat -c '%a %U %G' {victim}")
    stranger.start_rival(victim, burners=6)
    run = stranger.play("evil", files={"orders.py": stranger.text("orders_race.py")}, env={"ROUND": victim})
    report = stranger.rival()
    assert report["descriptors"] == 1, "the builder passed no descriptor: nothing was tried"
    assert stranger.host.sh(f"stat -c '%a %U %G' {victim}") == before
    assert run.code == 0, run.message
    assert stranger.host.sh(f"find {stranger.release}/static -type l") == ""
    assert stranger.host.read(f"{stranger.release}/code/passed.py") == "VERSION = 'built'\n"


def test_the_player_can_not_open_files_of_the_builder(stranger: Stranger) -> None:
    script = 'mkdir made; touch made/a; stat -c "%a %U %G" . made made/a > made.txt'
    assert stranger.play("evil", build=[f"sh -c '{script}'"]).code == 0
    made = stranger.host.read(f"{stranger.release}/code/made.txt").splitlines()
    assert made == ["700 jazz_evil nogroup", "700 jazz_evil nogroup", "600 jazz_evil nogroup"]
