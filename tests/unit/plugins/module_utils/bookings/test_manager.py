# SPDX-License-Identifier: GPL-3.0-or-later
"""Bookings: what should be of Venues, Gigs and ports, and their files taken up, or taken back, by a real nginx."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import (
    Act,
    Auth,
    Gig,
    Health,
    Manifest,
    Sess,
    Venue,
)
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import KITTENS, House, wanted
from ...servers import Nginx, listening, read_request
from ...told import told

V = "a.example"


def booked(house: House, *gigs: Gig, venues: tuple[Venue, ...] = (Venue(V),), **more: Any) -> Bookings:
    acts = {name: replace(KITTENS, name=name, **more.pop(name, {})) for name in ("kittens", "dogs")}
    manifest = Manifest("jazz", acts, {}, {venue.name: venue for venue in venues}, list(gigs))
    return Bookings(manifest, state.read("jazz", house.host), house.host, **more)


GIGS: list[tuple[list[str], list[Gig], dict[str, Any], list[str]]] = [
    # (what was booked, what the manifest says, options, what should be booked)
    ([], [Gig("kittens", V)], {}, ["kittens"]),
    (["kittens"], [], {}, ["kittens"]),  # not said: left as it is
    (["kittens"], [], {"prune": True}, []),
    (["kittens"], [Gig("kittens", V, state="absent")], {}, []),
    ([], [Gig("kittens", V, state="absent")], {}, []),
    (["kittens"], [Gig("dogs", V)], {}, ["dogs"]),
    (["kittens"], [Gig("kittens", V, state="absent"), Gig("dogs", V)], {}, ["dogs"]),
    # an Act that failed in this run: no new Gig, and none that it had is lost
    ([], [Gig("kittens", V)], {"left": {"kittens"}}, []),
    (["kittens"], [Gig("kittens", V)], {"left": {"kittens"}}, ["kittens"]),
    (["dogs"], [Gig("kittens", V)], {"left": {"kittens"}}, ["dogs"]),
]


@pytest.mark.parametrize(("before", "gigs", "more", "after"), GIGS)
def test_gigs(house: House, before: list[str], gigs: list[Gig], more: dict[str, Any], after: list[str]) -> None:
    if before:
        house.book(Venue(V), *[Booked(act, "/", (), (), 60) for act in before])
    assert [gig["act"] for gig in booked(house, *gigs, **more).wanted()[V]["gigs"]] == after


def test_venues_that_the_manifest_does_not_name(house: House) -> None:
    house.book(Venue("left.example"), Booked("kittens", "/", (), (), 60))
    found = booked(house, Gig("kittens", V))
    assert sorted(found.wanted()) == [V, "left.example"]
    assert [venue.name for venue in found.addresses()["kittens"].venues] == [V, "left.example"]
    assert sorted(booked(house, Gig("kittens", V), prune=True).wanted()) == [V]
    gone = booked(house, venues=(Venue(V), Venue("left.example", state="absent")))
    assert sorted(gone.wanted()) == [V]


@pytest.fixture
def playing(open_house: House) -> Iterator[House]:
    """An Act that plays and answers on its door."""
    want = wanted()
    open_house.build(want.release)
    open_house.record(want)
    sess = open_house.play(want, Sess("kittens"))
    path = open_house.root / "s"
    os.symlink(path, open_house.act().sess(sess).socket)
    with listening(path, answer):
        yield open_house


def answer(client: socket.socket) -> None:
    status = "404 Not Found" if read_request(client)["PATH_INFO"] == "/missing/" else "200 OK"
    client.sendall(f"HTTP/1.1 {status}\r\n\r\npurr".encode())


def page(house: House, name: str = V) -> Any:
    try:
        return Nginx("", house.root, house.host.http_port).get(name)[0]
    except OSError:
        return 444


GIG = Gig("kittens", V)


def test_a_booking_is_answered_when_apply_returns(playing: House) -> None:
    assert page(playing) == 444
    assert booked(playing, GIG).apply() == {}
    assert page(playing) == 200
    log = Path(server_block.access_log("jazz", V)).stat()
    assert (stat.S_IMODE(log.st_mode), log.st_gid) == (0o640, 4), "visitors' addresses are nobody else's business"
    assert booked(playing, GIG).plan() == []
    before = nginx._workers(nginx.master() or 0)
    assert booked(playing, GIG).apply() == {}
    assert booked(playing, venues=(Venue(V, state="absent"),)).apply() == {}
    assert (page(playing), os.listdir(playing.host.venues)) == (444, [])
    assert before != nginx._workers(nginx.master() or 0)


def with_passwords(**users: str) -> Venue:
    return Venue(V, auth=Auth(users))


def test_passwords_come_change_and_go_with_their_venue(playing: House) -> None:
    file = Path(playing.host.passwords, f"jazz.{V}.users")
    assert booked(playing, GIG).apply() == {}
    guarded = booked(playing, GIG, venues=(with_passwords(ada="$6$old"),))
    assert [(one.step.verb, one.step.before, one.step.after) for one in guarded.plan()] == [
        ("set passwords", None, ["ada"]),
        ("change", {}, {"auth": {"realm": "", "users": ["ada"]}}),
    ]
    assert guarded.apply() == {}
    assert (page(playing), "ada:$6$old" in file.read_text()) == (401, True)
    assert booked(playing, GIG, venues=(with_passwords(ada="$6$old"),)).plan() == []
    (change,) = booked(playing, GIG, venues=(with_passwords(ada="$6$new"),)).plan()
    assert change.step.verb == "set passwords"
    assert booked(playing, GIG, venues=(with_passwords(ada="$6$new"),)).apply() == {}
    assert "ada:$6$new" in file.read_text()
    assert booked(playing, GIG, venues=(Venue(V),)).apply() == {}
    assert (page(playing), file.exists()) == (200, False)


def test_a_password_stays_where_nginx_does_not_follow(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(playing.host.passwords, f"jazz.{V}.users")
    booked(playing, GIG, venues=(with_passwords(ada="$6$old"),)).apply()
    monkeypatch.setattr(nginx, "_PID", str(playing.root / "no-pid"))
    said = told(booked(playing, GIG, venues=(with_passwords(ada="$6$new"),)).apply)
    assert said == "nginx is not running: start the service nginx"
    assert "ada:$6$old" in file.read_text()


def test_a_hand_edited_file_is_said_and_overwritten(playing: House) -> None:
    booked(playing, GIG).apply()
    path = Path(playing.host.venues, f"jazz.{V}.conf")
    right = path.read_text()
    path.write_text(right.replace("client_max_body_size 10m", "client_max_body_size 99m"))
    (change,) = booked(playing, GIG).plan()
    assert (change.step.verb, change.step.after) == ("rewrite", right)
    booked(playing, GIG).apply()
    assert path.read_text() == right


def test_a_killed_run_never_reloaded(playing: House) -> None:
    booked(playing, GIG).apply()
    time.sleep(0.05)  # a process's start is known in ticks of 10 ms
    os.utime(playing.book(Venue(V), booked(playing, GIG).acts.now("kittens", "/") or Booked("", "", (), (), 0)))
    (change,) = booked(playing, GIG).plan()
    assert (change.step.noun, change.step.name, change.step.verb) == ("venue", "all", "reload")


def test_fault_88_what_a_hand_broke_is_said_before_anything_is_changed(playing: House) -> None:
    foreign = playing.root / "by-hand.conf"
    foreign.write_text("\nnonsense;\n")
    said = told(booked(playing, GIG).apply)
    assert said == (
        f'nginx refuses its configuration: unknown directive "nonsense" in {foreign}:2: mend it, then run again'
    )
    assert os.listdir(playing.host.venues) == []


def test_fault_95_what_a_hand_broke_of_ours_is_mended(playing: House) -> None:
    """Nobody else could: the run that writes it anew is not kept from it."""
    booked(playing, GIG).apply()
    path = Path(playing.host.venues, f"jazz.{V}.conf")
    right = path.read_text()
    path.write_text(right + "nonsense;\n")
    assert booked(playing, GIG).apply() == {}
    assert path.read_text() == right


def failures(found: Bookings) -> dict[str, str]:
    """Act or Venue -> why nginx was not told of it."""
    return {name: error.message for name, error in found.apply().items()}


def test_fault_25_a_name_of_somebody_else(playing: House) -> None:
    """Only who claims it is left out."""
    by_hand = playing.root / "by-hand.conf"
    by_hand.write_text(f'server {{ listen {playing.host.http_port}; server_name "{V.upper()}"; }}\n')
    two = (Venue(V), Venue("empty.example"))
    said = f"the name {V} belongs to {by_hand} already; rename one of them"
    assert failures(booked(playing, GIG, venues=two)) == {"kittens": said}
    assert os.listdir(playing.host.venues) == ["jazz.empty.example.conf"]
    by_hand.unlink()
    other = Path(playing.host.venues, f"blues.{V}.conf")
    other.write_text(server_block.render(replace(playing.paths, name="blues"), Venue(V), [], playing.host))
    said = f"the name {V} belongs to the Production blues already; rename one of them"
    assert failures(booked(playing, GIG)) == {"kittens": said}
    assert not Path(playing.host.venues, f"jazz.{V}.conf").exists()


def test_fault_25_a_name_that_is_claimed_after_it_was_booked(playing: House) -> None:
    """nginx serves whose file it reads first; what is booked stays as it is, until one of them is renamed."""
    booked(playing, GIG).apply()
    by_hand = playing.root / "by-hand.conf"
    by_hand.write_text(f"server {{ listen {playing.host.http_port}; server_name b.example {V}; }}\n")
    said = f"the name {V} belongs to {by_hand} already; rename one of them"
    for found in (booked(playing, GIG), booked(playing, GIG, prune=True)):
        assert {name: error.message for name, error in found.refused().items()} == {"kittens": said}
        assert sorted(found.wanted()) == [V]
    gone = booked(playing, venues=(Venue(V, state="absent"),))
    assert gone.refused() == {}, "who leaves a name needs nobody's leave"


def test_a_name_on_another_port_is_no_clash(playing: House) -> None:
    """Such as a server with TLS that passes to ours."""
    (playing.root / "by-hand.conf").write_text(f"server {{ listen 8443; server_name {V}; }}\n")
    assert booked(playing, GIG).refused() == {}


def test_what_does_not_answer_is_taken_back(playing: House) -> None:
    booked(playing, GIG).apply()
    bad: Act = replace(KITTENS, health=Health("/missing/"))
    found = booked(playing, GIG, Gig("kittens", "b.example"), venues=(Venue(V), Venue("b.example")))
    found.manifest.acts["kittens"] = bad
    failed = found.apply()
    assert failed["kittens"].message == "nothing at /missing/ (404): set health.path to a page that the Act has"
    assert (page(playing), page(playing, "b.example")) == (200, 444)
    assert os.listdir(playing.host.venues) == [f"jazz.{V}.conf"]


def test_a_log_that_cannot_be_made_leaves_nothing(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS 92: a wiped /var/log/nginx; a full disk ends in the same place."""
    monkeypatch.setattr(server_block, "LOGS", str(playing.root / "wiped"))
    assert failures(booked(playing, GIG)) == {
        "kittens": f'nginx refuses jazz.{V}.conf: open() "{server_block.access_log("jazz", V)}" failed'
        " (2: No such file or directory)"
    }
    assert os.listdir(playing.host.venues) == []


def test_fault_4_a_disk_that_fills_up_between_two_files(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write = files.write

    def until_full(path: str, text: str) -> None:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device", path)
        written.append(path)
        write(path, text)

    monkeypatch.setattr(files, "write", until_full)
    two = (Venue(V), Venue("b.example"))
    assert "No space left on device" in told(booked(playing, GIG, Gig("kittens", "b.example"), venues=two).apply)
    assert (os.listdir(playing.host.venues), page(playing)) == ([], 444)


def test_what_nginx_does_not_take_up_is_taken_back(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(playing, GIG).apply()
    before = playing.seen()
    monkeypatch.setattr(nginx, "_PID", "/nowhere")
    two = (Venue(V, ["www.a.example"]), Venue("b.example"))
    assert told(booked(playing, GIG, venues=two).apply) == "nginx is not running: start the service nginx"
    assert [entry for entry in playing.seen() if "venues" in entry[0]] == [
        entry for entry in before if "venues" in entry[0]
    ]


def test_without_a_front_of_house(house: House) -> None:
    found = booked(replace(house, host=replace(house.host, has_front_of_house=False)), GIG)
    assert "this host has no front of house" in told(found.apply)
