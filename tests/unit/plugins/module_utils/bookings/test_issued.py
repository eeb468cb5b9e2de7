# SPDX-License-Identifier: GPL-3.0-or-later
"""Venues whose certificates an authority gives: a deploy, the program, Pebble and nginx, all of them real.

FAULTS 70, 72, 73, 76 and 77.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import issued, nginx, readiness, written
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.certificates import account, wishes
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.host import facts, files
from ansible_collections.backstage.django.plugins.module_utils.host.facts import Host
from ansible_collections.backstage.django.plugins.module_utils.manifest.acme import Acme
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import (
    Auth,
    Gig,
    Manifest,
    Sess,
    Tls,
    Venue,
)
from ansible_collections.backstage.django.plugins.module_utils.stages import timers
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ... import certs, pebbles
from ...house import KITTENS, House, wanted
from ...pebbles import Pebble
from ...servers import Nginx, free_port, listening, read_request
from ...told import told

PLUGINS = Path(issued.__file__).parents[2]
ROLE = Path(__file__).parents[5] / "roles/front_of_house/files"
V, WWW, DEAD = "a.example", "www.a.example", "dead.example"
GIG = Gig("kittens", V)
NOBODY = Acme("https://127.0.0.1:1/dir")
PLAIN, SELFSIGNED, ISSUED = (Venue(V, [WWW], Tls(mode)) for mode in ("none", "selfsigned", "acme"))
CERTIFIER = """#!/usr/bin/python3 -IBS
import sys
sys.path.insert(0, {library!r})
from backstage.bookings import nginx, renewals
from backstage.certificates import account, authority
from backstage.host import facts
authority.PYTHON = ({python!r},)
facts.FRONT_OF_HOUSE = {facts!r}
nginx._PROGRAM, nginx._PID = {nginx!r}, {pid!r}
renewals.LOCK, renewals.HOST_LOCK = {root!r} + "/certificates.lock", {root!r} + "/.lock"
sys.exit(renewals.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def python() -> Iterator[str]:
    with pebbles.libraries() as found:
        yield found


@pytest.fixture(autouse=True)
def _without_systemd(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cron starts the program; the library of Debian's package is in a place of the test."""
    (house.root / "cron.d").mkdir()
    monkeypatch.setattr(timers, "SYSTEMD", "/nonexistent")
    monkeypatch.setattr(timers, "CRON", str(house.root / "cron.d"))
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/bin/true")
    monkeypatch.setattr(facts, "_ACME", ("/bin/true", "python3-acme is missing"))


@pytest.fixture
def playing(open_house: House, python: str) -> Iterator[House]:
    """An Act that plays, on a host with the program and its modules as the role lays them."""
    house = open_house
    house.host = replace(house.host, https_port=free_port(), certifier=str(house.root / "backstage-certificates"))
    Path(house.host.params).write_text("uwsgi_param HTTPS $https;\nuwsgi_param HTTP_HOST $http_host;\n")
    lay(house, python)
    want = wanted()
    house.build(want.release)
    house.record(want)
    os.symlink(house.root / "s", house.act().sess(house.play(want, Sess("kittens"))).socket)

    def answer(client: socket.socket) -> None:
        asked = read_request(client)
        client.sendall(f"HTTP/1.1 200 OK\r\n\r\n{asked['HTTPS']} {asked['HTTP_HOST']}".encode())

    with listening(house.root / "s", answer):
        yield house


def lay(house: House, python: str) -> None:
    library = Path(house.host.house)
    shutil.copytree(PLUGINS / "module_utils", library / "backstage")
    shutil.copy(ROLE / "backstage_acme.py", library)
    Path(house.root, "facts.json").write_text(json.dumps(asdict(house.host)))
    told = {"library": str(library), "python": python, "facts": str(house.root / "facts.json")}
    own = {"nginx": nginx._PROGRAM, "pid": nginx._PID, "root": str(house.root)}
    program = Path(house.host.certifier)
    program.write_text(CERTIFIER.format(**told, **own))
    program.chmod(0o755)


@pytest.fixture
def pebble(playing: House, running_pebble: Pebble) -> Pebble:
    running_pebble.begin()
    return running_pebble


def acme(pebble: Pebble, **more: Any) -> Acme:
    return Acme(pebble.directory, ca=pebble.ca, **more)


def booked(house: House, venue: Venue, given: Acme | None) -> Bookings:
    manifest = Manifest("jazz", {"kittens": KITTENS}, {}, {venue.name: venue}, [GIG], given)
    return Bookings(manifest, state.read("jazz", house.host), house.host)


def deploy(house: House, venue: Venue, given: Acme | None) -> list[str]:
    """What the Production manager does; returns the warnings."""
    bookings = booked(house, venue, given)
    assert bookings.apply() == {}
    asking = bookings.encryption.issued.asking
    return issued.ask(house.host, "jazz", asking) if asking else []


def run(house: House, *words: str) -> tuple[int, str]:
    """As the timer does."""
    ended = subprocess.run([house.host.certifier, *words], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def plain(house: House, name: str, path: str = "/") -> tuple[int, str]:
    status, headers, _body = Nginx("", house.root, house.host.http_port).get(name, path)
    return status, headers.get("Location", "")


def secure(house: House, name: str, root: str) -> int:
    """The status by HTTPS, for a visitor who trusts this root alone."""
    context = ssl.create_default_context(cadata=root)
    client = http.client.HTTPSConnection("127.0.0.1", house.host.https_port, timeout=60)
    client.sock = context.wrap_socket(socket.create_connection((client.host, client.port)), server_hostname=name)
    try:
        client.request("GET", "/", headers={"Host": name})
        return client.getresponse().status
    finally:
        client.close()


def sealed(house: House) -> dict[str, Any]:
    return Pairs.of(house.host, "jazz", V).sealed()


def verbs(house: House, venue: Venue, given: Acme | None) -> list[str]:
    return [change.step.verb for change in booked(house, venue, given).plan()]


def test_a_new_venue(playing: House, pebble: Pebble) -> None:
    """With TLS at once, and a certificate that visitors trust in the same run; the second run does nothing."""
    assert verbs(playing, ISSUED, acme(pebble)) == ["add", "book", "register", "certify"]
    assert deploy(playing, ISSUED, acme(pebble)) == []
    assert secure(playing, V, pebble.root()) == 200
    assert secure(playing, WWW, pebble.root()) == 301
    assert plain(playing, WWW, "/x")[1].startswith(f"https://{V}:")
    assert verbs(playing, ISSUED, acme(pebble)) == []
    assert readiness.doubts(booked(playing, ISSUED, acme(pebble)), refused=()) == []
    assert run(playing) == (0, "")
    assert pebble.orders == 1
    (cron,) = (playing.root / "cron.d").iterdir()
    assert f" root {playing.host.certifier} 2>&1 | logger -t backstage-certificates\n" in cron.read_text()


def test_the_authority_is_down(playing: House, pebble: Pebble) -> None:
    """FAULTS 70: a new Venue has a self-signed certificate, and the timer gets the other one without a controller."""
    pebble.stop()
    (warning,) = deploy(playing, ISSUED, acme(pebble))
    assert warning.startswith(f"the certificate of {V}: waiting: the authority does not answer at {pebble.directory}")
    assert "; the Venue goes on with a self-signed one meanwhile; the host asks again after 20" in warning
    assert plain(playing, V)[0] == 301
    again = booked(playing, ISSUED, acme(pebble))
    assert again.plan() == [], "it is not asked at every deploy"
    assert readiness.doubts(again, refused=()) == [warning]
    code, said = run(playing)
    assert (code, said.partition(": ")[0]) == (1, f"jazz.{V}")
    pebble.start()
    assert run(playing)[0] == 1, "it is not time yet"
    assert run(playing, "--now") == (0, f"jazz.{V}: ok (there is none from the authority yet)\n")
    assert secure(playing, V, pebble.root()) == 200


def test_cron_gets_it_without_systemd(playing: House, pebble: Pebble) -> None:
    """The line of its file, as cron gives it to a shell."""
    pebble.stop()
    deploy(playing, ISSUED, acme(pebble))
    pebble.start()
    os.remove(Pairs.of(playing.host, "jazz", V).state_file)
    (path,) = (playing.root / "cron.d").iterdir()
    assert (path.stat().st_mode & 0o777, path.name) == (0o644, "backstage-certificates")
    *variables, line = (text for text in path.read_text().splitlines() if not text.startswith("#"))
    minute, *others, user, command = line.split(None, 6)
    assert (int(minute) in range(60), others, user) == (True, ["*"] * 4, "root")
    known = dict(text.replace('"', "").split("=") for text in variables)
    subprocess.run([known["SHELL"], "-c", command], env=known, check=False)  # logger has nowhere to write to here
    assert secure(playing, V, pebble.root()) == 200


def test_a_venue_that_plays_by_http(playing: House, pebble: Pebble) -> None:
    """It goes on by HTTP until the authority's certificate is there, whoever asks for it."""
    assert deploy(playing, PLAIN, None) == []
    assert plain(playing, V)[0] == 200
    pebble.stop()
    assert verbs(playing, ISSUED, acme(pebble)) == ["change", "register", "certify"]
    (warning,) = deploy(playing, ISSUED, acme(pebble))
    assert "; the Venue goes on by HTTP meanwhile; " in warning
    assert (plain(playing, V)[0], plain(playing, WWW)) == (200, (301, f"http://{V}:{playing.host.http_port}/"))
    assert written.blocks("jazz", playing.host)[V]["tls"] == "waiting"
    assert verbs(playing, ISSUED, acme(pebble)) == []
    pebble.start()
    assert run(playing, "--now", f"jazz.{V}")[0] == 0
    assert plain(playing, V)[1].startswith("https://")
    assert secure(playing, V, pebble.root()) == 200
    assert verbs(playing, ISSUED, acme(pebble)) == []
    wish = wishes.read(playing.host, "jazz", V)
    assert wish
    assert wish.prepared == {}


def test_from_http_to_https_and_back(playing: House, pebble: Pebble) -> None:
    """In one run each way; nothing of the authority is left."""
    deploy(playing, PLAIN, None)
    assert deploy(playing, ISSUED, acme(pebble)) == []
    assert secure(playing, V, pebble.root()) == 200
    assert deploy(playing, SELFSIGNED, None) == []
    assert sealed(playing)["kind"] == "selfsigned"
    assert not os.path.exists(Pairs.of(playing.host, "jazz", V).state_file)
    assert deploy(playing, ISSUED, acme(pebble)) == []
    assert deploy(playing, PLAIN, None) == []
    assert plain(playing, V)[0] == 200
    for place in ("certificates", "accounts", "challenges", "wishes", "cron.d"):
        assert os.listdir(playing.root / place) == [], place
    assert "acme:" not in Path("/etc/passwd").read_text()


def test_an_alias_comes(playing: House, pebble: Pebble) -> None:
    """FAULTS 75, 76: nginx answers for it first; a dead one is told of and does no harm."""
    deploy(playing, ISSUED, acme(pebble))
    more = replace(ISSUED, aliases=[WWW, "c.example"])
    assert verbs(playing, more, acme(pebble)) == ["change", "certify"]
    assert deploy(playing, more, acme(pebble)) == []
    assert secure(playing, "c.example", pebble.root()) == 301
    with pebble.dead(DEAD):
        (warning,) = deploy(playing, replace(ISSUED, aliases=[WWW, "c.example", DEAD]), acme(pebble))
    assert warning.startswith(f"the certificate of {V}: failing: {DEAD}: ")
    assert secure(playing, V, pebble.root()) == 200
    assert deploy(playing, more, acme(pebble)) == []
    assert run(playing) == (0, "")


def test_a_reload_that_failed_is_done_by_the_next_run(playing: House, pebble: Pebble) -> None:
    """FAULTS 72: somebody else has broken nginx's configuration; the certificate waits for its reload."""
    deploy(playing, ISSUED, acme(pebble))
    before = files.read(Pairs.of(playing.host, "jazz", V).certificate)
    (playing.root / "by-hand.conf").write_text("nonsense;")
    wish = wishes.read(playing.host, "jazz", V)
    assert wish
    wishes.write(playing.host, replace(wish, names=(V,)))
    code, said = run(playing, "--now")
    assert code == 1
    assert f"jazz.{V}: ok (it is for other names)\n" in said
    assert "nginx refuses its configuration with new certificates" in said
    assert f"; the next run tries again to have nginx serve jazz.{V}" in said
    assert files.read(Pairs.of(playing.host, "jazz", V).certificate) != before
    assert secure(playing, V, pebble.root()) == 200, "nginx goes on with the old one"
    (playing.root / "by-hand.conf").unlink()
    assert run(playing) == (0, "")
    assert pebble.orders == 2


def test_a_broken_wish_fails_alone(playing: House) -> None:
    Path(playing.host.wishes, "blues.b.example.json").write_text("{}")
    code, said = run(playing)
    assert (code, said.partition(": it does")[0]) == (1, "blues.b.example: broken")


GUARDED = Auth({"ada": "$5$salt$" + "h" * 43})
TOKEN = "x" * 43


@pytest.mark.parametrize("more", [{}, {"state": "closed"}, {"auth": GUARDED, "deny": ["127.0.0.1"]}])
def test_the_answer_to_an_authority(playing: House, more: dict[str, Any]) -> None:
    """At every name, whatever else the Venue answers; what is no token is led to HTTPS as all else is."""
    assert booked(playing, replace(ISSUED, **more), NOBODY).apply() == {}
    key = Path(account.path(playing.host, "jazz")).read_text()
    nginx_, place = Nginx("", playing.root, playing.host.http_port), "/.well-known/acme-challenge/"
    for name in (V, WWW):
        status, headers, body = nginx_.get(name, place + TOKEN)
        assert (status, body) == (200, f"{TOKEN}.{account.thumbprint(key)}")
        assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("text/plain", "nosniff")
        for path in (place, place + "short", f"{place}{TOKEN}%0a", f"{place}{TOKEN}/x", f"{place}{TOKEN}<b>", "/"):
            assert plain(playing, name, path)[0] == 301, path


def test_a_damaged_pair_keeps_nginx_from_nothing(playing: House) -> None:
    """FAULTS 73."""
    assert booked(playing, ISSUED, NOBODY).apply() == {}
    Path(Pairs.of(playing.host, "jazz", V).key).write_text("")
    again = booked(playing, ISSUED, NOBODY)
    assert [change.step.verb for change in again.plan()] == ["certify"]
    assert readiness.refusals(again.plan(), again, planning=False) == {}
    assert again.apply() == {}
    assert Pairs.of(playing.host, "jazz", V).unloadable() == ""
    assert plain(playing, V)[0] == 301


def test_two_at_once(playing: House) -> None:
    with (playing.root / "certificates.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, said = run(playing)
    assert (code, said.endswith("; the next run looks again\n")) == (0, True)


def test_an_account_of_the_manifest(playing: House) -> None:
    key = certs.key()
    assert booked(playing, ISSUED, replace(NOBODY, account_key=key)).apply() == {}
    assert Path(account.path(playing.host, "jazz")).read_text() == key
    assert verbs(playing, ISSUED, replace(NOBODY, account_key=key)) == ["certify"]
    assert verbs(playing, ISSUED, replace(NOBODY, account_key=certs.key())) == ["register", "certify"]
    wrong = booked(playing, ISSUED, replace(NOBODY, account_key=certs.key("RSA")))
    (refused,) = list(wrong.refused().values())
    assert "is no EC key of the curve P-256" in refused.message


def test_names_proven_by_dns(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that may write the records is the manifest's, or lies on the host."""
    by_dns, key = replace(ISSUED, tls=Tls("acme", challenge="dns-01")), "key of nsupdate\n"
    monkeypatch.setattr(facts, "_NSUPDATE", ("/bin/true", "nsupdate is missing"))
    (refused,) = list(booked(playing, by_dns, NOBODY).refused().values())
    assert refused.message.startswith(f"{V} is proven by dns-01, and this host has no key for it")
    given = booked(playing, by_dns, replace(NOBODY, tsig_key=key))
    assert given.apply() == {}
    wish = wishes.read(playing.host, "jazz", V)
    assert wish
    assert wish.challenge == "dns-01"
    assert Path(account.tsig(playing.host, "jazz")).read_text() == key
    assert booked(playing, by_dns, None).refused() == {}
    monkeypatch.setattr(facts, "_NSUPDATE", ("/nonexistent", "this host lacks the package bind9-dnsutils"))
    changes = given.plan()
    (refused,) = list(readiness.refusals(changes, given, planning=False).values())
    assert "lacks the package bind9-dnsutils" in refused.message


def test_a_module_for_one_noun_keeps_the_authority(playing: House, pebble: Pebble) -> None:
    deploy(playing, ISSUED, acme(pebble))
    assert verbs(playing, ISSUED, None) == []
    assert verbs(playing, replace(ISSUED, aliases=[]), None) == ["change", "certify"]
    assert deploy(playing, replace(ISSUED, aliases=[]), None) == []
    assert sealed(playing)["directory"] == pebble.directory


def test_hsts_needs_a_trusted_certificate(playing: House) -> None:
    """FAULTS 79."""
    long, pairs = replace(ISSUED, tls=Tls("acme", hsts=61)), Pairs.of(playing.host, "jazz", V)
    assert list(booked(playing, long, NOBODY).refused()) == ["kittens"]
    pairs.make_selfsigned([V])
    files.write(f"{pairs.live}/sealed", files.to_json({**pairs.sealed(), "kind": "acme"}))
    assert booked(playing, long, NOBODY).refused() == {}


def test_a_host_that_is_not_prepared(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    bookings = booked(playing, ISSUED, Acme())
    changes = bookings.plan()
    assert readiness.refusals(changes, bookings, planning=False) == {}
    monkeypatch.setattr(facts, "_ACME", ("/nonexistent", "this host lacks the package python3-acme"))
    (refused,) = list(readiness.refusals(changes, bookings, planning=False).values())
    assert refused.message.startswith(
        "this host lacks the package python3-acme (/nonexistent is missing); run the play"
    )
    os.remove(playing.host.certifier)
    assert "is of an earlier Backstage" in told(Host.need_acme, playing.host, False)


def test_the_program_says_when_it_fails(playing: House) -> None:
    Path(playing.host.certifier).write_text("#!/bin/sh\necho oops >&2\nexit 3\n")
    assert issued.ask(playing.host, "jazz", [V]) == ["backstage-certificates: oops"]
