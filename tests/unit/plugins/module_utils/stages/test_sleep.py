# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess that sleeps: its vassal, its start by a connection, and what status and a later run make of it."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.host import files, names
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import (
    Gig,
    Health,
    Limits,
    Manifest,
    Sess,
    Venue,
)
from ansible_collections.backstage.django.plugins.module_utils.productions import disk, reports
from ansible_collections.backstage.django.plugins.module_utils.stages import door, emperor, kinds, sleep
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages.pages import Answer
from ansible_collections.backstage.django.plugins.module_utils.stages.uwsgi import Uwsgi
from ansible_collections.backstage.django.plugins.module_utils.state.read import read

from ...emperors import Emperor
from ...house import A, B, House, wanted
from ...servers import listening
from ...told import told
from .test_uwsgi import PART, SESS, VASSAL, options
from .wishes import ACT, carry_out, fails, fronted, on_the_host

ASLEEP = Sess("kittens", state="asleep", idle=60)


def want(sess: Sess = ASLEEP, release: str = A) -> sesses.Want:
    return sesses.Want(sess, wanted(ACT, play=release))


def because(house: House, wish: sesses.Want) -> list[Any]:
    changes = sesses.plan(wish, house.state(), house.host, print, fronted())
    return [(change.step.verb, (change.step.after or {}).get("because")) for change in changes]


def door_file(house: House, sess: str) -> Path:
    return Path(house.host.vassals, names.vassal(house.production, "kittens", sess) + ".door")


def test_its_ini(house: House) -> None:
    """What listens is the emperor; and the log is opened as root, because nothing delays the drop of privileges."""
    stage = Uwsgi(house.host, house.act())
    awake, asleep = (options(stage.render(part, SESS)) for part in (PART, replace(PART, idle=60)))
    listens = {"thunder-lock", "listen", "chmod-socket", "chown-socket", "socket", "logto2"}
    assert set(awake) - set(asleep) == listens
    own = {"idle": "60", "die-on-idle": "true", "logto": house.act().log}
    assert asleep == {**{key: value for key, value in awake.items() if key not in listens}, **own}
    assert next(iter(asleep)) == "uid", "a truncated file would run as root"


@pytest.mark.usefixtures("emperor")
def test_a_sess_that_sleeps(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
    assert carry_out(crewed, want()) == []
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    path = door_file(crewed, f"{A}.1")
    assert (path.read_text(), oct(path.stat().st_mode & 0o777)) == (crewed.act().sess(f"{A}.1").socket, "0o600")
    assert because(crewed, want()) == [], "and nothing is left to be done"
    carry_out(crewed, want(release=B))
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])
    assert [name for name in os.listdir(crewed.host.vassals) if name.endswith(".door")] == [path.name.replace(A, B)]


CHANGES = [
    (ASLEEP, replace(ASLEEP, idle=90), ["idle: 60 -> 90"]),
    (ASLEEP, Sess("kittens", idle=60), ["idle: 60 -> never"]),
    (Sess("kittens"), ASLEEP, ["idle: never -> 60"]),
    (Sess("kittens"), Sess("kittens", idle=90), []),
]


@pytest.mark.parametrize(("before", "after", "differences"), CHANGES)
@pytest.mark.usefixtures("emperor")
def test_a_change_is_another_sess(crewed: House, before: Sess, after: Sess, differences: list[str]) -> None:
    crewed.build(A)
    carry_out(crewed, want(before))
    assert because(crewed, want(after)) == ([("play", differences)] if differences else [])
    carry_out(crewed, want(after))
    assert door_file(crewed, crewed.state().live or "").exists() is (after.state == "asleep")
    assert door_file(crewed, f"{A}.1").exists() is (before.state == "asleep" and not differences)


def test_one_that_ends_while_it_starts(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    emperor.says = "Traceback\nModuleNotFoundError: No module named 'PIL'\n*** GAME OVER ***\n"
    start = time.monotonic()
    patient = sesses.Want(ASLEEP, wanted(replace(ACT, health=Health(timeout=600)), play=A))
    failure = fails(crewed, patient)
    assert failure.message == "the module 'PIL' is missing: add its package, Pillow, to the requirements"
    assert time.monotonic() - start < 300, "not the timeout"
    assert on_the_host(crewed) == (None, [], [])
    assert os.listdir(crewed.host.vassals) == []


@pytest.mark.usefixtures("emperor")
def test_a_door_that_a_hand_has_taken_away(crewed: House) -> None:
    crewed.build(A)
    carry_out(crewed, want())
    path = door_file(crewed, f"{A}.1")
    path.unlink()
    assert because(crewed, want()) == [("play", [path.name])]
    assert str(path) in [one["where"] for one in reports.report(crewed.production)["drift"]]


def test_what_a_killed_run_left(house: House) -> None:
    """Only files of this Production whose vassal is not there."""
    kept = {VASSAL, f"{VASSAL}.door", "backstage.jazz2.kittens.0123456789ab.1.ini.door", "x.ini.door"}
    for name in {*kept, VASSAL.replace(".1.ini", ".2.ini.door")}:
        Path(house.host.vassals, name).touch()
    kinds.sweep("jazz", house.host)
    assert set(os.listdir(house.host.vassals)) == kept


@pytest.mark.usefixtures("emperor")
def test_the_manifest_of_a_host(crewed: House) -> None:
    crewed.build(A)
    crewed.record(wanted(ACT, play=A))
    carry_out(crewed, want())
    found = disk.options(crewed.production)["sesses"]["kittens"]
    assert (found["state"], found["idle"]) == ("asleep", 60)


def living(pid: int, **more: Any) -> dict[str, Any]:
    return {"id": VASSAL, "pid": pid, "accepting": 0, "cursed": 0, "respawns": 0, **more}


@contextmanager
def emperors(house: House, vassals: Callable[[], list[dict[str, Any]]], *listed: str) -> Iterator[None]:
    """An emperor whose vassals are children of this process."""

    def serve(client: socket.socket) -> None:
        blacklist = [{"id": name, "attempt": 1} for name in listed]
        told_ = {
            "version": "2.0.21",
            "pid": os.getpid(),
            "emperor": ["x"],
            "vassals": vassals(),
            "blacklist": blacklist,
        }
        client.sendall(json.dumps(told_).encode())

    with listening(Path(house.host.stats), serve):
        yield


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    found = [subprocess.Popen(["sleep", "60"]) for _number in range(2)]
    yield found
    for child in found:
        child.kill()
        child.wait()


def wake(house: House, path: Path, timeout: float = 1) -> str:
    return told(sleep.wake, house.host.stats, VASSAL, str(path), timeout)


def bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def test_woken_when_a_worker_has_taken_the_connection(
    house: House, place: Path, children: list[subprocess.Popen[bytes]]
) -> None:
    with emperors(house, lambda: [living(children[0].pid)]), bound(place / "s") as listener:
        taken: list[float] = []

        def accept() -> None:
            time.sleep(0.5)
            taken.append(time.monotonic())
            listener.accept()

        thread = threading.Thread(target=accept)
        thread.start()
        assert wake(house, place / "s", 100) == ""
        assert 0 <= time.monotonic() - taken[0] < 50
        thread.join()


ENDS: list[tuple[str, str]] = [
    ("it is gone", sleep.ENDED),
    ("another one", sleep.ENDED),
    ("it lives", "the Sess was not ready in time: raise health.timeout"),
]


@pytest.mark.parametrize(("ends", "said"), ENDS)
def test_ends_while_it_starts(
    house: House, place: Path, children: list[subprocess.Popen[bytes]], ends: str, said: str
) -> None:
    looks: list[int] = []

    def vassals() -> list[dict[str, Any]]:
        looks.append(1)
        if len(looks) == 4 and ends == "it is gone":
            children[0].kill()
            children[0].wait()
        return [living(children[len(looks) > 4 and ends == "another one"].pid)]

    with emperors(house, vassals), bound(place / "s"):
        assert wake(house, place / "s", 1 if ends == "it lives" else 100) == said


@pytest.mark.parametrize(
    ("vassals", "listed", "said"),
    [([living(-1)], (), "the emperor did not open its door in time"), ([], (VASSAL,), sleep.ENDED)],
)
def test_a_door_that_is_never_opened(
    house: House, place: Path, vassals: list[dict[str, Any]], listed: tuple[str, ...], said: str
) -> None:
    with emperors(house, lambda: vassals, *listed):
        assert wake(house, place / "s", 100 if listed else 0.5) == said


def test_a_number_that_is_another_process_by_now(house: House, children: list[subprocess.Popen[bytes]]) -> None:
    """The emperor reports the last process of a sleeping vassal, which ended long ago."""
    stats = emperor.Stats({VASSAL: emperor.Vassal(children[0].pid, False, False, 0)}, {}, os.getpid())
    assert sleep.is_awake(stats, VASSAL) is True
    assert sleep.is_awake(replace(stats, pid=os.getpid() + 1), VASSAL) is False
    children[0].kill()
    children[0].wait()
    assert sleep.is_awake(stats, VASSAL) is False
    assert (sleep.is_awake(None, VASSAL), sleep.is_awake(emperor.Stats({}, {}), VASSAL)) == (False, False)
    assert sleep.is_awake(emperor.Stats({VASSAL: emperor.Vassal(-1, False, False, 0)}, {}), VASSAL) is False


def test_a_vassal_that_died_is_waited_for(house: House) -> None:
    """An emperor that waits for a CPU still lists it, with the number of a process that has ended."""
    link = os.path.join(house.host.vassals, VASSAL)
    looks = itertools.count()
    began = time.monotonic()

    def serve(client: socket.socket) -> None:
        is_listed = time.monotonic() < began + 0.5 or next(looks) < 5
        client.sendall(json.dumps({"pid": os.getpid(), "vassals": [living(-1)] if is_listed else []}).encode())

    with listening(Path(house.host.stats), serve):
        files.link(link, "/nowhere")
        emperor.dismiss(house.host.stats, link, 0.1, "it")
    assert not os.path.lexists(link)


def test_only_a_vassal_is_killed(
    house: House, children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does not end, and whose number is none of the emperor's children."""
    monkeypatch.setattr(emperor, "GONE_WITHIN", 0.2)
    link = os.path.join(house.host.vassals, VASSAL)

    def serve(client: socket.socket) -> None:
        client.sendall(json.dumps({"pid": os.getpid() + 1, "vassals": [living(children[0].pid)]}).encode())

    with listening(Path(house.host.stats), serve):
        files.link(link, "/nowhere")
        assert told(emperor.dismiss, house.host.stats, link, 0.1, "it") == "it does not end"
    assert children[0].poll() is None


def test_connections_in_the_queue(place: Path) -> None:
    path = str(place / "s")
    with bound(place / "s") as listener, socket.socket(socket.AF_UNIX) as client:
        assert door.is_queued(path) is False
        client.connect(path)
        assert door.is_queued(path) is True
        taken, _address = listener.accept()
        assert (door.is_queued(path), door.is_busy(path)) == (False, True)
        taken.close()


@pytest.mark.parametrize(("awake", "state"), [(True, "playing"), (False, "asleep")])
def test_status_wakes_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch, children: list[subprocess.Popen[bytes]], awake: bool, state: str
) -> None:
    house.build(A)
    venue = Venue("kittens.example")
    house.play(wanted(ACT, (venue,), play=A), replace(ASLEEP, limits=Limits(memory="512M")))
    house.book(venue, Booked("kittens", "/", (), (), 60))  # the emperor curses one that falls asleep
    asked: list[str] = []

    def answer(_host: object, name: str, *_more: object, **_given: object) -> Answer:
        asked.append(name)
        return Answer(200, "", "", ())

    monkeypatch.setattr(visit, "get", answer)
    sess = house.state().live or ""
    vassal = names.vassal(house.production, "kittens", sess)
    with emperors(house, lambda: [living(children[0].pid if awake else -1, id=vassal, cursed=int(not awake))]):
        found = reports.report(house.production)
    assert found["sesses"]["kittens"]["state"] == state
    assert bool(asked) is awake
    assert bool(found["limits"]) is awake, "what has no process is held by nothing"
    (line,) = found["playbill"]
    told_ = "200" if awake else "asleep, not asked"
    assert line.startswith(f"http://kittens.example/  {told_}  open  kittens: {state}, release {A} ")


@pytest.mark.parametrize(("sess", "seconds"), [(ASLEEP, 35), (Sess("kittens"), 10)])
def test_how_long_nginx_waits(house: House, sess: Sess, seconds: int) -> None:
    """Also where a module for one noun does not name the Sess."""
    act, venue = replace(ACT, health=Health(timeout=30)), Venue("kittens.example")
    house.build(A)
    house.record(wanted(act, (venue,), play=A))
    house.play(wanted(act, (venue,), play=A), sess)
    gigs = [Gig("kittens", venue.name)]
    whole = Manifest(house.production, {"kittens": act}, {"kittens": sess}, {venue.name: venue}, gigs)
    for manifest in (whole, Manifest(house.production, {}, {}, {venue.name: venue}, gigs)):
        texts = Bookings(manifest, read(house.production, house.host), house.host)._differing()
        assert f"uwsgi_read_timeout {seconds}s;" in str(texts)
