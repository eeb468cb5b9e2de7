# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of kind beside visitors: a real nginx, a real gunicorn, and what stands for the emperor and for PID 1."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx
from ansible_collections.backstage.django.plugins.module_utils.bookings.booked_acts import Coming
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Manifest, Sess, Venue
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages.interface import Front
from ansible_collections.backstage.django.plugins.module_utils.state.read import read
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ...emperors import Emperor
from ...house import A, B, C, House, wanted
from ...servers import Nginx, checker, free_port, role_text
from ...systemds import Systemd
from .test_units import ACT, built
from .wishes import on_the_host

VENUE = "a.example"
BUILT_FOR = {A: "uwsgi", B: "gunicorn", C: "asgi"}


@dataclass
class Town:
    """A host with an Act at a Venue, and its visitors."""

    house: House
    nginx: Nginx
    led: list[str] = field(default_factory=list)
    failed: list[object] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refusal: str = ""
    standby: int = 0

    def lead(self, act: str, release: str, path: str, protocol: str) -> None:
        """Do what the Production manager does."""
        self.led.append(protocol)
        manifest = Manifest(self.house.production, {act: ACT})
        state = read(self.house.production, self.house.host)
        Bookings(manifest, state, self.house.host, coming={act: Coming(release, path, protocol)}).apply()

    def ask(self, _act: Act) -> None:
        assert self.nginx.get(VENUE)[0] == 200
        if self.refusal:
            raise BackstageError(self.refusal, step="nginx")

    def play(self, release: str, front: Front | None = None, because: tuple[str, ...] = ()) -> list[str]:
        """Make what a run makes, up to nginx's last text; what it planned."""
        act = replace(ACT, settings="band.settings")
        sess = Sess("kittens", stage=BUILT_FOR[release], standby=self.standby)
        wish = sesses.Want(sess, wanted(act, (Venue(VENUE),), play=release))
        wish = replace(wish, because=because)
        front = front or Front(self.ask, self.lead)
        changes = sesses.plan(wish, self.house.state(), self.house.host, print, front)
        for change in sorted(changes, key=lambda change: change.phase):
            assert change.make
            change.make()
        Bookings(Manifest(self.house.production), read(self.house.production, self.house.host), self.house.host).apply()
        return [change.step.verb for change in changes]

    @property
    def protocol(self) -> str:
        text = Path(self.house.host.venues, f"{self.house.production}.{VENUE}.conf").read_text()
        return "http" if "proxy_pass" in text else "uwsgi"

    def doors(self) -> list[list[str]]:
        """What lies in the doors of the Sesses."""
        roots = sorted(Path(self.house.act().sesses).iterdir())
        return [sorted(os.listdir(root / "door")) for root in roots]

    @contextmanager
    def visited(self) -> Iterator[None]:
        over = threading.Event()

        def visit() -> None:
            while not over.is_set():
                try:
                    status, _headers, body = self.nginx.get(VENUE)
                except OSError as error:
                    self.failed.append(error)
                    continue
                if status != 200:
                    self.failed.append((status, time.time()))
                self.answers.append("uwsgi" if body == "purr" else "http")

        visitors = [threading.Thread(target=visit) for _number in range(2)]
        for visitor in visitors:
            visitor.start()
        try:
            yield
        finally:
            over.set()
            for visitor in visitors:
                visitor.join()


@pytest.fixture
def town(
    crewed: House,
    systemd: Systemd,
    nginx_program: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Town]:
    monkeypatch.setattr(nginx, "_PID", str(crewed.root / "nginx.pid"))
    crewed.host = replace(crewed.host, http_port=free_port(), ipv6=False)
    for name, path in (("uwsgi.params", crewed.host.params), ("proxy.params", crewed.host.proxy_params)):
        Path(path).write_text(role_text(name))
    for release, stage in BUILT_FOR.items():
        built(crewed, release, stage)
    port, venues = crewed.host.http_port, crewed.host.venues
    with (
        Emperor(Path(crewed.host.vassals), Path(crewed.host.stats)),
        Nginx.running(nginx_program, crewed.root, venues, port) as running,
    ):
        monkeypatch.setattr(nginx, "_PROGRAM", checker(crewed.root, nginx_program, running.main))
        crewed.book(Venue(VENUE), Booked("kittens", "/", (), (), 5))
        found = Town(crewed, running)
        found.play(A, Front(lambda _act: None, found.lead))
        nginx.reload()
        assert (found.led, found.protocol, found.nginx.get(VENUE)[2]) == ([], "uwsgi", "purr")
        yield found
        sesses.stop_all(crewed.state(), crewed.host, print)


def test_switches_between_two_protocols(town: Town) -> None:
    with town.visited():
        for release in (B, A, B):
            assert town.play(release) == ["play"]
            assert on_the_host(town.house)[0] == f"{release}.{2 if release == A else town.led.count('http')}"
    assert (town.failed, bool(town.answers)) == ([], True)
    assert town.led == ["http", "uwsgi", "http"]
    assert town.doors() == [["h"]], "no symlink is left"
    assert (town.protocol, set(town.answers)) == ("http", {"uwsgi", "http"})


def test_a_switch_that_visitors_do_not_see_answered_is_taken_back(town: Town) -> None:
    town.refusal = "it answers 500"
    with town.visited(), pytest.raises(BackstageError, match="it answers 500"):
        town.play(B)
    assert (town.failed, town.led, town.protocol) == ([], ["http", "uwsgi"], "uwsgi")
    assert (on_the_host(town.house)[0], town.doors()) == (f"{A}.1", [["s"]])
    assert town.nginx.get(VENUE)[2] == "purr"


def test_nginx_refuses(town: Town) -> None:
    def refuse(*_told: str) -> None:
        raise BackstageError("nginx refuses its configuration", step="nginx")

    with town.visited(), pytest.raises(BackstageError, match="nginx refuses"):
        town.play(B, Front(town.ask, lambda *told: refuse(*told) if told[3] == "http" else town.lead(*told)))
    assert (town.failed, town.protocol, town.doors()) == ([], "uwsgi", [["s"]])
    assert on_the_host(town.house)[0] == f"{A}.1"


def chat(town: Town, stack: ExitStack) -> ClientConnection:
    """A WebSocket through nginx that has been answered."""
    client = socket.create_connection(("127.0.0.1", town.nginx.port))
    found = stack.enter_context(connect(f"ws://{VENUE}/chat", sock=client))
    found.send(" purr")
    assert found.recv(10) == "/chat purr"
    return found


def test_websockets_through_switches(town: Town) -> None:
    """Each is closed with "service restart", also for a Sess of another kind, and the next one is there at once."""
    town.play(C)
    for release in (C, B):
        with ExitStack() as stack:
            talking = [chat(town, stack) for _number in range(3)]
            with town.visited():
                town.play(release, because=("restart",))
            for one in talking:
                with pytest.raises(ConnectionClosed):
                    one.recv(10)
                assert one.close_code == 1012
            if BUILT_FOR[release] == "asgi":
                chat(town, stack)
    assert (town.failed, town.led) == ([], ["http"])


def test_the_directory_of_what_plays_is_gone(town: Town) -> None:
    """Nobody answers until the switch, and then the new Sess does."""
    shutil.rmtree(town.house.act().sess(f"{A}.1").root)
    town.play(B)
    assert (on_the_host(town.house)[0], town.protocol, town.doors()) == (f"{B}.1", "http", [["h"]])
    assert town.nginx.get(VENUE)[0] == 200


class Killed(BaseException):
    """The end of a run that nothing can catch."""


def test_a_run_that_is_killed_after_nginx_was_led(town: Town) -> None:
    """The next one leads nginx back before it stops the Sess to which visitors are led, and then switches."""

    def lead(*told: str) -> None:
        town.lead(*told)
        raise Killed

    with town.visited():
        with pytest.raises(Killed):
            town.play(B, Front(town.ask, lead))
        assert (on_the_host(town.house)[0], town.protocol) == (f"{A}.1", "http")
        assert town.nginx.get(VENUE)[2] != "purr"
        assert town.play(B) == ["play", "sweep"]
    assert (town.failed, town.led) == ([], ["http", "uwsgi", "http"])
    assert (on_the_host(town.house)[0], town.doors()) == (f"{B}.2", [["h"]])


def test_a_run_that_is_killed_after_the_switch(town: Town) -> None:
    def ask(_act: Act) -> None:
        raise Killed

    with town.visited():
        with pytest.raises(Killed):
            town.play(B, Front(ask, town.lead))
        assert on_the_host(town.house)[0] == f"{B}.1"
        assert town.play(B) == ["sweep"]
    assert (town.failed, town.protocol, town.doors()) == ([], "http", [["h"]])


def test_only_a_vassal_stands_by(town: Town) -> None:
    """The Sess of gunicorn that was live is ended: no emperor would end it in time."""
    town.play(B)
    town.standby = 15
    town.play(A)
    assert on_the_host(town.house) == (f"{A}.2", [f"{A}.2"], [f"{A}.2"])
    assert town.house.state().standby == {}
