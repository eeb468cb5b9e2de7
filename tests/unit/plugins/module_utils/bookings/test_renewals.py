# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that are there and not served yet: nginx is told, and whatever fails is done by the next run.

test_issued.py has the whole program with a real authority. FAULTS 72.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, renewals
from ansible_collections.backstage.django.plugins.module_utils.bookings.renewals import Renewals, served
from ansible_collections.backstage.django.plugins.module_utils.certificates import wishes
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.certificates.renewal import Renewal
from ansible_collections.backstage.django.plugins.module_utils.certificates.wishes import Wish
from ansible_collections.backstage.django.plugins.module_utils.host import files

from ...house import House
from ...servers import free_port
from ...signers import Signer

V = "a.example"
NAME = f"jazz.{V}"
NOWHERE = "https://127.0.0.1:1/dir"
PLAIN = "server {{ listen {port}; server_name a.example; return 200; }}\n"
SECURE = """server {{ listen {port} ssl; server_name a.example; ssl_certificate {live}/fullchain.pem;
ssl_certificate_key {live}/privkey.pem; return 200; }}
"""


@dataclass
class Case:
    """A Venue with a certificate from an authority, which nothing serves yet."""

    house: House
    said: list[str] = field(default_factory=list)

    @property
    def pairs(self) -> Pairs:
        return Pairs.of(self.house.host, "jazz", V)

    @property
    def file(self) -> Path:
        return Path(self.house.host.venues, f"{NAME}.conf")

    @property
    def secure(self) -> str:
        return SECURE.format(port=self.house.host.https_port, live=self.pairs.live)

    @property
    def wish(self) -> Wish:
        found = wishes.read(self.house.host, "jazz", V)
        assert found
        return found

    def renewed(self) -> None:
        wish = replace(self.wish, directory=f"https://{time.monotonic_ns()}.example")
        wishes.write(self.house.host, wish)
        renewal = Renewal(wish, self.pairs, Signer(), time.time())
        assert renewal.run().changed
        renewal.run()  # so that the authority is not asked when to renew for some hours

    def run(self) -> bool:
        self.said.clear()
        return Renewals(self.house.host, time.time(), self.said.append).run()

    def is_served(self) -> bool:
        leaf = Path(self.pairs.certificate).read_text()
        der = served(V, self.house.host.https_port)
        return renewals.ssl.DER_cert_to_PEM_cert(der).strip() in leaf


@pytest.fixture
def case(open_house: House, monkeypatch: pytest.MonkeyPatch) -> Case:
    open_house.host = replace(open_house.host, https_port=free_port())
    monkeypatch.setattr(renewals, "HOST_LOCK", str(open_house.root / ".lock"))
    monkeypatch.setattr(renewals, "_PATIENCE", 0.2)
    found = Case(open_house)
    wishes.write(open_house.host, Wish("jazz", (V,), NOWHERE))
    found.renewed()
    return found


@pytest.fixture
def waiting(case: Case) -> Case:
    """It plays by HTTP, and its file with TLS is prepared."""
    case.file.write_text(PLAIN.format(port=case.house.host.http_port))
    nginx.reload()
    wishes.write(case.house.host, replace(case.wish, prepared={str(case.file): case.secure}))
    return case


@pytest.fixture
def encrypted(case: Case) -> Case:
    case.file.write_text(case.secure)
    nginx.reload()
    assert case.is_served()
    return case


def test_a_venue_that_waited(waiting: Case) -> None:
    assert waiting.run()
    assert (waiting.said, waiting.wish.prepared) == ([], {})
    assert waiting.is_served()
    assert waiting.run()


def test_a_run_that_was_killed_before_the_reload(waiting: Case) -> None:
    waiting.file.write_text(waiting.secure)
    assert waiting.run()
    assert waiting.is_served()
    assert waiting.wish.prepared == {}


def test_nginx_refuses_what_was_prepared(waiting: Case) -> None:
    before = waiting.file.read_text()
    wishes.write(waiting.house.host, replace(waiting.wish, prepared={str(waiting.file): "nonsense;"}))
    assert not waiting.run()
    (said,) = waiting.said
    assert said.startswith("nginx refuses its configuration with new certificates: ")
    assert said.endswith(f"; the next run tries again to have nginx serve {NAME}")
    assert waiting.file.read_text() == before
    assert waiting.wish.prepared


def test_a_venue_that_waits_on(waiting: Case) -> None:
    shutil.rmtree(waiting.pairs.root)
    os.makedirs(waiting.pairs.root)
    before = waiting.file.read_text()
    Path(waiting.pairs.state_file).write_text(f'{{"next": {time.time() + 600:.0f}, "state": "waiting"}}')
    assert not waiting.run()
    assert (waiting.file.read_text(), waiting.said) == (before, [f"{NAME}: waiting"])


def test_another_certificate_on_disk(encrypted: Case) -> None:
    encrypted.renewed()
    assert not encrypted.is_served()
    assert encrypted.run()
    assert encrypted.is_served()


def test_a_deploy_goes_first(encrypted: Case) -> None:
    encrypted.renewed()
    lock = encrypted.house.root / ".lock"
    lock.write_text("process 1 of ada")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not encrypted.run()
    assert encrypted.said[0].startswith(f"process 1 of ada holds {lock}")
    assert encrypted.run()
    assert encrypted.is_served()


def test_nginx_does_not_run(encrypted: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads the files when it starts."""
    encrypted.renewed()
    monkeypatch.setattr(nginx, "_PID", "/nonexistent")
    assert encrypted.run()
    assert encrypted.said == []


def test_somebody_else_serves_the_name(encrypted: Case) -> None:
    other = Pairs.of(encrypted.house.host, "blues", V)
    other.make_selfsigned([V])
    text = SECURE.format(port=encrypted.house.host.https_port, live=other.live)
    Path(encrypted.house.host.venues, "a-first.conf").write_text(text)
    encrypted.renewed()
    assert not encrypted.run()
    assert encrypted.said == [f"nginx was reloaded, and serves other certificates for {NAME}: who else has the names?"]


def test_a_host_that_can_not_ask_reports_why(encrypted: Case) -> None:
    """There is no user acme here."""
    files.write(encrypted.pairs.state_file, files.to_json({"state": "ok", "failures": 3}))
    assert not encrypted.run()
    assert encrypted.said == [f"{NAME}: broken: the system user 'acme' is missing on this host"]
    state = encrypted.pairs.state()
    assert (state["state"], state["failures"]) == ("broken", 3)
    assert encrypted.is_served()


def test_names_that_are_given(encrypted: Case) -> None:
    encrypted.renewed()
    office = Renewals(encrypted.house.host, time.time(), encrypted.said.append)
    assert office.run(["jazz.other.example"])
    assert not encrypted.is_served()
