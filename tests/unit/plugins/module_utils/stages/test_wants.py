# SPDX-License-Identifier: GPL-3.0-or-later
"""What should play, and how the live Sess differs from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Worker
from ansible_collections.backstage.django.plugins.module_utils.stages import wants

from ...emperors import Emperor
from ...house import A, B, House
from .wishes import ACT, SESS, carry_out, want


def test_a_token_is_no_difference(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    for key in ("purrpurr", "meowmeow"):
        carry_out(crewed, want(replace(ACT, secrets={"KEY": key})))
    state = crewed.state()
    token = state.live_record["token"]
    assert len(emperor.seen) == 2
    assert Path(crewed.act().sess(f"{A}.2").env, "BACKSTAGE_TOKEN").read_text() == token + "\n"
    assert ("BACKSTAGE_TOKEN" in state.live_env, sorted(state.hidden)) == (False, sorted(["meowmeow", token]))


def test_a_release_that_is_not_built(house: House) -> None:
    assert wants.part(want(), house.state(), house.host) is None


def test_a_rehearsal_starts_no_workers(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would take real jobs."""
    work = Worker("work", "work")
    house.build(A)
    found = wants.part(want(replace(ACT, workers=[work])), house.state(), house.host)
    assert found
    assert found.workers == (work,)
    monkeypatch.setattr(house, "production", "rehearsal")
    house.build(A)
    found = wants.part(want(replace(ACT, workers=[work])), house.state(), house.host)
    assert found
    assert found.workers == ()


def test_differences(house: House) -> None:
    house.build(A)
    house.build(B)
    assert wants.differences(want(), house.state(), house.host) == ["nothing plays"]
    house.play(want().act, SESS)
    assert wants.differences(want(), house.state(), house.host) == []
    assert wants.differences(want(release=B), house.state(), house.host) == ["release"]
    more = replace(ACT, secrets={"KEY": "meowmeow"}, env={"COLOUR": "grey"}, timeout=7)
    assert wants.differences(want(more), house.state(), house.host) == [
        "variable COLOUR changed",
        "secret KEY changed",
        "timeout: 5 -> 7",
    ]
    Path(house.act().sess(house.state().live or "").ini).write_text("# by hand")
    assert wants.differences(want(), house.state(), house.host) == ["uwsgi.ini"]
