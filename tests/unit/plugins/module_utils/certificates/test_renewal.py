# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue's certificate through its life. The authority signs by openssl; test_authority.py has a real one.

FAULTS 70, 71, 73, 74, 75, 76, 78.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import checks, pairs
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.certificates.renewal import Done, Renewal
from ansible_collections.backstage.django.plugins.module_utils.certificates.wishes import Wish
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError

from ... import certs
from ...house import House
from ...signers import Signer

DAY = 86400
V, WWW, DEAD = "a.example", "www.a.example", "dead.example"


@dataclass
class Case:
    """A Venue of a host, an authority, and a clock."""

    house: House
    authority: Signer
    wish: Wish
    now: float = field(default_factory=time.time)

    @property
    def pairs(self) -> Pairs:
        return Pairs.of(self.house.host, self.wish.production, self.wish.venue)

    def run(self, at_once: bool = False, after: float = 0) -> Done:
        self.now += after
        return Renewal(self.wish, self.pairs, self.authority, self.now).run(at_once)

    @property
    def certificate(self) -> str:
        return Path(self.pairs.certificate).read_text()

    def covers(self) -> tuple[str, ...]:
        return checks.about(self.certificate).names


@pytest.fixture
def case(house: House) -> Case:
    wish = Wish("jazz", (V, WWW), "https://ca.example/dir")
    return Case(house, Signer(), wish)


def test_the_first_certificate(case: Case) -> None:
    done = case.run()
    assert (done.changed, done.state["state"]) == (True, "ok")
    assert case.covers() == (V, WWW)
    assert os.readlink(case.pairs.live).endswith("-acme")
    assert {os.stat(path).st_mode & 0o777 for path in (case.pairs.key, case.pairs.certificate)} == {0o600}
    before = case.certificate
    done = case.run(after=3600)
    assert (done.changed, done.state["state"], case.certificate) == (False, "ok", before)
    assert len(case.authority.asked) == 1, "nothing is due"


def test_renewed_with_a_third_of_its_time_left(case: Case) -> None:
    case.run()
    first, key = case.certificate, Path(case.pairs.key).read_text()
    assert not case.run(after=59 * DAY).changed
    assert case.run(after=2 * DAY).state["why"] == "it ends soon"
    assert case.certificate != first
    assert Path(case.pairs.key).read_text() != key
    assert case.authority.replaced == ["", first]


def test_when_the_authority_asks_for_it(case: Case) -> None:
    case.authority.start = case.now + 5 * DAY
    case.run()
    assert not case.run(after=4 * DAY).changed
    assert case.run(after=2 * DAY).state["why"] == "the authority asks for it"


def test_the_authority_is_down(case: Case) -> None:
    """FAULTS 70: a self-signed certificate serves, and the authority is left alone for longer and longer."""
    case.authority.down = "nobody there"
    done = case.run()
    assert (done.changed, done.state["state"], done.state["error"]) == (True, "waiting", "nobody there")
    assert done.state["next"] == int(case.now + 600)
    assert case.pairs.sealed()["kind"] == "selfsigned"
    began = case.now
    for after, tries in ((599, 1), (2, 2), (1198, 2), (2, 3)):
        done = case.run(after=after)
        assert len(case.authority.asked) == tries
    assert done.state["since"] == int(began)
    assert case.run(at_once=True).state["failures"] == 4
    case.authority.down, case.authority.wait = "limited", 0
    case.authority.down = ""
    assert case.run(at_once=True).state["state"] == "ok"


def test_the_authority_says_when_to_come_again(case: Case) -> None:
    case.authority.down, case.authority.wait = "too many", DAY
    assert case.run().state["next"] == int(case.now + DAY)


def test_a_renewal_fails(case: Case) -> None:
    """FAULTS 71, 74: the old certificate stays, also after its end."""
    case.run()
    before = case.certificate
    case.authority.down = "nobody there"
    done = case.run(after=61 * DAY)
    assert (done.changed, done.state["state"], done.state["error"]) == (False, "failing", "nobody there")
    assert case.run(after=40 * DAY).state["state"] == "failing"
    assert case.certificate == before
    assert len(os.listdir(Path(case.pairs.root, "versions"))) == 2, "nothing of the tries is left"
    case.authority.down = ""
    assert case.run(at_once=True).state["state"] == "ok"


def test_a_dead_alias_at_first(case: Case) -> None:
    """FAULTS 76: the others are covered; it is tried again after a day, and then less and less often."""
    case.wish = replace(case.wish, names=(V, WWW, DEAD))
    case.authority.dead = [DEAD]
    done = case.run()
    assert (done.state["state"], done.state["missing"]) == ("partly", {DEAD: "no address"})
    assert case.covers() == (V, WWW)
    before = case.certificate
    assert case.run(after=3600).state["state"] == "partly"
    assert len(case.authority.asked) == 2
    done = case.run(at_once=True)
    assert (done.changed, done.state["state"], case.certificate) == (False, "partly", before)
    assert case.authority.asked[2:] == [[V, WWW, DEAD]], "a certificate that covers no more is not asked for"
    assert case.run(after=60).state["state"] == "partly"
    assert len(case.authority.asked) == 3
    case.authority.dead = []
    assert case.run(after=DAY).state["state"] == "ok"
    assert case.covers() == (V, WWW, DEAD)


def test_a_dead_alias_does_not_keep_the_others_from_being_renewed(case: Case) -> None:
    case.wish = replace(case.wish, names=(V, DEAD))
    case.authority.dead = [DEAD]
    case.run()
    before = case.certificate
    done = case.run(after=61 * DAY)
    assert (done.changed, done.state["state"]) == (True, "partly")
    assert case.certificate != before


def test_a_dead_alias_leaves(case: Case) -> None:
    case.wish = replace(case.wish, names=(V, WWW, DEAD))
    case.authority.dead = [DEAD]
    case.run()
    case.wish = replace(case.wish, names=(V, WWW))
    assert (case.run().state["state"], len(case.authority.asked)) == ("ok", 2)


def test_a_dead_alias_comes_to_a_good_certificate(case: Case) -> None:
    """FAULTS 75, 76: the certificate that covers all others goes on."""
    case.run()
    before = case.certificate
    case.wish = replace(case.wish, names=(V, WWW, DEAD))
    case.authority.dead = [DEAD]
    done = case.run()
    assert (done.changed, done.state["state"], case.certificate) == (False, "failing", before)
    case.wish = replace(case.wish, names=(V, WWW))
    assert case.run().state["state"] == "ok"


@pytest.mark.parametrize("names", [(V, WWW, "c.example"), (V,)])
def test_an_alias_comes_or_leaves(case: Case, names: tuple[str, ...]) -> None:
    """FAULTS 75."""
    case.run()
    case.wish = replace(case.wish, names=names)
    assert case.run().state["why"] == "it is for other names"
    assert case.covers() == names


def test_a_covered_name_dies(case: Case) -> None:
    """It is given up on the last day of the certificate that covers it, and not before."""
    case.run()
    case.authority.dead = [WWW]
    assert case.run(after=61 * DAY).state["state"] == "failing"
    done = case.run(after=28.5 * DAY)
    assert (done.state["state"], case.covers()) == ("partly", (V,))


def test_the_own_name_is_dead(case: Case) -> None:
    case.authority.dead = [V]
    assert case.run().state["state"] == "waiting"
    assert case.authority.asked == [[V, WWW]]


def test_another_authority(case: Case) -> None:
    case.run()
    case.wish = replace(case.wish, directory="https://other.example/dir")
    assert case.run().state["why"] == "it is from another authority"


@pytest.mark.parametrize("days", [400, -400, 30, 0.125, -0.125])
def test_a_wrong_clock_gives_nothing_up(case: Case, days: float) -> None:
    """FAULTS 78: whatever is asked, and refused, the certificate stays; with the right clock all is well at once."""
    case.run()
    before, now = case.certificate, case.now
    case.authority.down = "this host's clock is wrong"
    case.run(after=days * DAY)
    assert case.certificate == before
    case.authority.down, case.now = "", now + 60
    assert case.run().state["state"] == "ok"
    assert case.certificate == before


HARM: list[Callable[[Case], Any]] = [
    lambda case: Path(case.pairs.certificate).write_text(case.certificate[:200]),
    lambda case: Path(case.pairs.key).write_text(certs.key()),
    lambda case: shutil.rmtree(case.pairs.root),
]


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("down", ["", "nobody there"])
def test_what_nginx_could_not_load(case: Case, harm: Callable[[Case], Any], down: str) -> None:
    """FAULTS 73."""
    case.run()
    harm(case)
    case.authority.down = down
    done = case.run()
    assert (done.changed, done.state["state"]) == (True, "waiting" if down else "ok")
    assert case.pairs.unloadable() == ""


def test_a_link_that_is_missing(case: Case) -> None:
    case.run()
    before = case.certificate
    os.remove(case.pairs.live)
    done = case.run()
    assert (done.changed, done.state["state"], case.certificate) == (True, "ok", before)
    assert len(case.authority.asked) == 1


def test_a_certificate_of_another_mode_serves_until_there_is_one(case: Case) -> None:
    given = certs.signed([V, WWW])
    case.pairs.install(given, [V, WWW])
    case.authority.down = "nobody there"
    assert case.run().state["state"] == "failing"
    assert case.certificate == given.certificate


def test_the_disk_is_full(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found before the authority is asked."""
    case.run()
    before = case.certificate
    monkeypatch.setattr(files, "SPARE", 2**60)
    done = case.run(after=61 * DAY)
    assert done.state["error"].startswith("the disk is full: a certificate needs ")
    assert (len(case.authority.asked), case.certificate) == (1, before)


def test_a_certificate_that_would_not_do(case: Case) -> None:
    case.run()
    before = case.certificate
    case.authority.certificate = lambda *_asked: certs.signed([V, WWW]).certificate  # type: ignore[method-assign]
    done = case.run(after=61 * DAY)
    assert done.state["error"].startswith("the authority's certificate can't be used: nginx can't load it: the key is")
    assert case.certificate == before


STEPS = {
    "drafted": (pairs.Pairs, "request"),
    "asked": (Signer, "certificate"),
    "issued": (pairs.Pairs, "finish"),
    "sealed": (pairs.Pairs, "_link"),
    "linked": (pairs.Pairs, "sweep"),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_every_step(case: Case, step: str) -> None:
    """The pair in use can be loaded whenever it is killed, and the next run finishes what was begun."""
    case.run()
    before = case.certificate
    case.wish = replace(case.wish, directory="https://other.example/dir")
    child = os.fork()
    if child == 0:
        owner, name = STEPS[step]
        swept = getattr(owner, name)
        calls = []

        def die(*args: Any, **options: Any) -> Any:
            calls.append(args)
            if step == "linked" and len(calls) == 1:  # the one at the start of a run
                return swept(*args, **options)
            return os.kill(os.getpid(), signal.SIGKILL)

        setattr(owner, name, staticmethod(die) if name == "request" else die)
        case.run()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert case.pairs.unloadable() == ""
    assert (case.certificate == before) is (step != "linked")
    case.authority.asked.clear()
    assert case.run().state["state"] == "ok"
    assert case.certificate != before
    assert len(case.authority.asked) == (0 if step in ("sealed", "linked") else 1), "it is asked again only if needed"
    assert len(os.listdir(Path(case.pairs.root, "versions"))) == 2


def test_a_finished_certificate_that_is_wanted_no_more_is_not_used(case: Case) -> None:
    case.run()
    version = case.pairs.draft()
    chain = case.authority.certificate(Pairs.request(version, [V]), [V], "")
    Path(version, "fullchain.pem").write_text(chain)
    Path(version, "sealed").write_text(json.dumps({"kind": "acme", "names": [V], "missing": {}}))
    before = case.certificate
    assert not case.run().changed
    assert case.certificate == before
    assert not os.path.exists(version)


def test_no_certificate_at_all(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_REQUEST", ("openssl", "nonsense"))
    with pytest.raises(BackstageError, match="openssl made no self-signed certificate"):
        case.run()


def test_an_empty_state(case: Case) -> None:
    case.run()
    Path(case.pairs.state_file).write_text("[]")
    assert case.run().state["state"] == "ok"


def test_what_openssl_says_of_the_request(case: Case) -> None:
    version = case.pairs.draft()
    text = subprocess.run(
        ["openssl", "req", "-noout", "-text", "-verify"], input=Pairs.request(version, [V, WWW]), check=True,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert f"DNS:{V}, DNS:{WWW}" in text
