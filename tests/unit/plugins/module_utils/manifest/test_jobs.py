# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of an Act as plain data."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Seed, Timer


@pytest.mark.parametrize(
    ("timer", "when"),
    [
        (Timer("nightly", manage="clearsessions", at="03:00"), "at 03:00: clearsessions"),
        (Timer("poll", run="poll --once", every="quarter"), "every quarter: poll --once"),
    ],
)
def test_a_timer_tells_its_time_and_its_command(timer: Timer, when: str) -> None:
    assert timer.when == when


def test_the_repr_of_a_seed_shows_no_secret() -> None:
    assert "meowmeow" not in repr(Seed("s", "run", secrets={"PW": "meowmeow"}))
