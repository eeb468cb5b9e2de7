# SPDX-License-Identifier: GPL-3.0-or-later
"""The Stage manager with real files, users and doors: the first Sess, and a Sess that is reached at fewer addresses."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Phase

from ...conftest import Crew
from ...house import A, House, wanted
from .wishes import ACT, CLOSED, OPEN, SESS, asked_by, carry_out, events, on_the_host, want


@pytest.mark.usefixtures("emperor")
def test_a_first_sess(crewed: House, crew: Crew) -> None:
    crewed.build(A)
    assert carry_out(crewed, want()) == []
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert events(crewed) == [("started", f"{A}.1"), ("played", f"{A}.1")]
    assert carry_out(crewed, want()) == []
    assert len(events(crewed)) == 2, "and nothing is left to be done"
    own = crewed.act().sess(f"{A}.1")
    www = process.group_id(names.WWW_GROUP)
    assert {name: about(getattr(own, name)) for name in ("root", "env", "door", "ini", "record")} == {
        "root": (0o711, 0, 0),
        "env": (0o750, 0, crew.player.gid),
        "door": (0o750, 0, www),
        "ini": (0o640, 0, crew.player.gid),
        "record": (0o600, 0, 0),
    }
    assert about(own.env + "/KEY") == (0o640, 0, crew.player.gid)
    assert "purrpurr" not in Path(own.record).read_text() + Path(own.ini).read_text()
    assert (os.readlink(own.static), os.readlink(own.release)) == (
        crewed.act().release(A).static,
        crewed.act().release(A).root,
    )


def about(path: str) -> tuple[int, int, int]:
    found = os.stat(path)
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.usefixtures("emperor")
def test_addresses_that_are_left(crewed: House) -> None:
    """First the Sess that answers at both; when nginx knows, the one that does not."""
    crewed.build(A)
    both, after = Address((OPEN, CLOSED), "/blog", (8001,)), Address((OPEN,), "/blog")
    wish = sesses.Want(SESS, wanted(ACT, address=both, play=A), after=after)
    changes = sesses.plan(wish, crewed.state(), crewed.host, print, asked_by(crewed))
    assert [(change.phase, change.step.after["because"]) for change in changes] == [
        (Phase.PLAY, ["nothing plays"]),
        (Phase.LEAVE, ["venues left", "ports left"]),
    ]
    told = ("a.example,www.a.example,b.example,localhost,127.0.0.1", "a.example,www.a.example")
    for change, hosts in zip(changes, told):
        assert change.make
        change.make()
        assert crewed.state().live_env["BACKSTAGE_HOSTS"] == hosts
