# SPDX-License-Identifier: GPL-3.0-or-later
"""The Stage manager at work with real files, users and doors: start, gate, switch, drain; and the ways back."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health, Venue
from ansible_collections.backstage.django.plugins.module_utils.stages import door
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Phase

from ...conftest import Crew
from ...emperors import Emperor
from ...house import A, B, House, wanted
from ...servers import free_port
from .wishes import ACT, CLOSED, OPEN, SESS, asked_by, carry_out, events, fails, on_the_host, want


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
def test_a_switch(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
        carry_out(crewed, want(release=release))
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])
    older = crewed.act().sess(f"{B}.1").older
    assert {name: os.readlink(os.path.join(older, name)) for name in os.listdir(older)} == {
        "1": crewed.act().release(A).static
    }
    carry_out(crewed, want(replace(ACT, secrets={"KEY": "meowmeow"}), B))
    assert on_the_host(crewed)[0] == f"{B}.2", "a new secret is a new Sess of the same release"
    assert crewed.state().live_env["KEY"] == "meowmeow"
    older = crewed.act().sess(f"{B}.2").older
    assert [os.readlink(os.path.join(older, name)) for name in os.listdir(older)] == [crewed.act().release(A).static]


def test_a_token_is_no_difference(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    for key in ("purrpurr", "meowmeow"):
        carry_out(crewed, want(replace(ACT, secrets={"KEY": key})))
    state = crewed.state()
    token = state.live_record["token"]
    assert len(emperor.seen) == 2
    assert Path(crewed.act().sess(f"{A}.2").env, "BACKSTAGE_TOKEN").read_text() == token + "\n"
    assert ("BACKSTAGE_TOKEN" in state.live_env, sorted(state.hidden)) == (False, sorted(["meowmeow", token]))


@pytest.mark.parametrize(("writable", "said"), [([], True), (["db.sqlite3"], False)])
@pytest.mark.usefixtures("emperor")
def test_a_database_that_nobody_can_write(crewed: House, writable: list[str], said: bool) -> None:
    """Pages may be read from it, so the gate does not notice."""
    database = {"engine": "django.db.backends.sqlite3", "name": "db.sqlite3"}
    crewed.build(A, databases={"default": database}, project=".")
    warnings: list[str] = []
    wish = want(replace(ACT, writable=writable))
    for change in sesses.plan(wish, crewed.state(), crewed.host, warnings.append, asked_by(crewed)):
        assert change.make
        change.make()
    known = "act kittens: its database 'db.sqlite3' lies in the code, and can't be written: name it in 'writable'"
    assert warnings == ([known] if said else [])


def test_fault_11_a_sess_that_ends_while_it_starts(crewed: House, emperor: Emperor) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    emperor.says = "Traceback\nModuleNotFoundError: No module named 'PIL'\n*** GAME OVER ***\nthe respawn\n"
    start = time.monotonic()
    failure = fails(crewed, want(replace(ACT, health=Health(timeout=60)), B))
    assert time.monotonic() - start < 5, "seconds, not the timeout"
    assert failure.message == "the module 'PIL' is missing: add its package, Pillow, to the requirements"
    assert failure.log.splitlines()[:2] == ["Traceback", "ModuleNotFoundError: No module named 'PIL'"]
    assert "the respawn" not in failure.log
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])


@pytest.mark.usefixtures("emperor")
def test_fault_04_no_room_for_a_vassal(crewed: House) -> None:
    crewed.build(A)
    subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "nr_inodes=1", "tmpfs", crewed.host.vassals], check=True)
    try:
        with pytest.raises(OSError, match="No space left on device"):
            carry_out(crewed, want())
    finally:
        subprocess.run(["umount", "-n", crewed.host.vassals], check=True)
    assert on_the_host(crewed) == (None, [], [])
    carry_out(crewed, want())
    assert on_the_host(crewed)[0] == f"{A}.2"


def test_fault_93_a_release_for_another_python(crewed: House, emperor: Emperor) -> None:
    """After an upgrade of Debian, in a rollback: uWSGI would say that Django is missing."""
    crewed.build(A, abi=inputs.abi())
    carry_out(crewed, want())
    crewed.build(B, abi="cpython-39-x86_64-linux-gnu")
    failure = fails(crewed, want(release=B))
    assert "was built for another Python" in failure.message
    assert failure.step == "start"
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])


def test_fault_20_a_sess_that_is_never_ready(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    emperor.ready = False
    failure = fails(crewed, want(replace(ACT, health=Health(timeout=1))))
    assert failure.message == "the Sess was not ready within 1 s: raise health.timeout"
    assert on_the_host(crewed) == (None, [], [])


@pytest.mark.usefixtures("emperor")
@pytest.mark.parametrize("hold", [None, {"release": A, "digest": "0" * 64}])
def test_what_only_nginx_shows_moves_live_back(crewed: House, hold: Optional[dict[str, str]]) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    crewed.host = replace(crewed.host, http_port=free_port())
    crewed.book(Venue("a.example"), Booked("kittens", "/", (), (), 60))
    failure = fails(crewed, want(release=B, hold=hold))
    assert "does not answer on this host" in failure.message
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert crewed.state().hold == {}, "what plays is not held"
    assert crewed.state().history.played() == [A]


@pytest.mark.usefixtures("emperor")
def test_a_rollback_holds_what_it_left(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
        carry_out(crewed, want(release=release))
    hold = {"release": B, "digest": "0" * 64}
    carry_out(crewed, want(hold=hold))
    assert (crewed.state().live, crewed.state().hold) == (f"{A}.2", hold)
    played = [event for event in crewed.state().history.events if event["event"] == "played"]
    assert played[-1]["because"] == f"rolled back from {B}"


@pytest.mark.usefixtures("emperor")
def test_what_is_being_answered_is_finished(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    path = crewed.act().sess(f"{A}.1").socket
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(path)
        thread = threading.Thread(target=carry_out, args=(crewed, want(release=B)))
        thread.start()
        while crewed.state().live != f"{B}.1":
            time.sleep(0.02)
        time.sleep(0.4)
        assert on_the_host(crewed) == (f"{B}.1", [f"{A}.1", f"{B}.1"], [f"{A}.1", f"{B}.1"])
    thread.join(10)
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])


@pytest.mark.usefixtures("emperor")
def test_a_request_that_never_ends_is_said(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    waited: list[float] = []
    monkeypatch.setattr(door, "wait_idle", lambda path, timeout: bool(waited.append(timeout)))
    said = f"act kittens: Sess {A}.1 was still answering after 10 s and was stopped"
    assert (carry_out(crewed, want(release=B)), waited) == ([said], [10])
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])


@pytest.mark.usefixtures("emperor")
def test_stopped_and_started_again(crewed: House) -> None:
    crewed.build(A)
    carry_out(crewed, want())
    carry_out(crewed, replace(want(), sess=replace(SESS, state="stopped")))
    assert on_the_host(crewed) == (None, [], [])
    assert events(crewed)[-1] == ("stopped", f"{A}.1")
    carry_out(crewed, want())
    assert on_the_host(crewed) == (f"{A}.2", [f"{A}.2"], [f"{A}.2"])


@pytest.mark.usefixtures("emperor")
def test_a_place_that_is_left(crewed: House) -> None:
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
