# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones of challenges in a real PowerDNS. nsupdate writes there as a host with a key does."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import manager, orders
from waiting import LONG

from ...powerdns import PowerDns
from ...told import told
from .conftest import PRIMARY, SECONDARY, ZONE, order, planned, run
from .test_orders import options

BAR, CLUB = f"bar.{ZONE}", f"club.{ZONE}"
PLACE = f"acme.{ZONE}"
NAMES = {BAR: ["192.0.2.7"], CLUB: ["192.0.2.8"]}
LEADS = {f"_acme-challenge.{BAR} CNAME": [f"{BAR}.{PLACE}."], f"{PLACE} NS": [f"ns1.{ZONE}."]}


def key(name: str, letter: bytes = b"k") -> str:
    """A key file, as a host has it."""
    secret = base64.b64encode(letter * 32).decode()
    return f'key "{name}" {{\n    algorithm hmac-sha256;\n    secret "{secret}";\n}};\n'


WEB1, WEB2 = key("backstage-web1"), key("backstage-web2", b"2")
ASKED: dict[str, Any] = {"challenges": [BAR], "challenge_keys": [WEB1]}


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[PowerDns]:
    """With DNS UPDATE, as the role configures it."""
    with PowerDns.running(
        tmp_path / "primary", PRIMARY, "primary=yes", "dnsupdate=yes", "allow-dnsupdate-from="
    ) as one:
        yield one


def update(place: Path, zone: str, line: str, with_key: str = WEB1) -> str:
    """What nsupdate says of one change; empty if the server made it."""
    arguments = []
    if with_key:
        path = place / "tsig.key"
        path.write_text(with_key)
        arguments = ["-k", str(path)]
    text = f"server {PRIMARY}\nzone {zone}.\nupdate {line}\nsend\n"
    done = subprocess.run(
        ["nsupdate", "-t", "10", *arguments], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    return (done.stdout + done.stderr).strip()


def answers(wanted: list[str]) -> bool:
    """Whether an authority finds these TXT records through the CNAME. PowerDNS keeps an answer for a second."""
    dig = ["dig", "+short", f"@{PRIMARY}", "TXT", f"_acme-challenge.{BAR}"]
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        done = subprocess.run(dig, capture_output=True, text=True, check=True, timeout=60)
        if sorted(line.strip('"') for line in done.stdout.splitlines() if line.startswith('"')) == wanted:
            return True
        time.sleep(0.2)
    return False


def metadata(primary: PowerDns, kind: str) -> list[str]:
    found: list[str] = primary.ask("GET", f"/zones/{PLACE}./metadata/{kind}")[1]["metadata"]
    return found


def keys(primary: PowerDns) -> list[str]:
    return sorted(one["name"] for one in primary.ask("GET", "/tsigkeys")[1])


def test_a_host_answers_a_challenge(primary: PowerDns, tmp_path: Path) -> None:
    """Both values of a name and its wildcard are found, and each is removed by itself."""
    before = manager.check(order(NAMES, **ASKED))
    first = run(NAMES, **ASKED)
    made = [f"create {PLACE}", "write backstage-web1", f"allow {PLACE}"]
    assert [line for line in planned(first) if line in made] == made
    assert planned(before) == planned(first)
    assert LEADS.items() <= primary.zone(ZONE).items()
    assert (run(NAMES, **ASKED).steps, first.behind) == ([], [])
    assert answers([])
    for value in ("one", "two"):
        assert update(tmp_path, PLACE, f'add {BAR}.{PLACE}. 1 TXT "{value}"') == ""
    assert answers(["one", "two"])
    assert update(tmp_path, PLACE, f'delete {BAR}.{PLACE}. TXT "one"') == ""
    assert answers(["two"])
    assert run(NAMES, **ASKED).steps == [], "values of challenges are the hosts'"


def test_fault_62_a_stolen_key_changes_no_address(primary: PowerDns, tmp_path: Path) -> None:
    """It writes nothing outside the zone of challenges, where no Venue's name is. Without a key nobody writes."""
    run(NAMES, **ASKED)
    before = primary.zone(ZONE)
    for zone, with_key in ((ZONE, WEB1), (ZONE, ""), (PLACE, ""), (PLACE, WEB2), (PLACE, key("backstage-web1", b"x"))):
        name = f"{BAR}.{zone}." if zone == PLACE else f"{BAR}."
        assert update(tmp_path, zone, f"add {name} 60 A 192.0.2.66", with_key) != "", (zone, with_key)
    assert primary.zone(ZONE) == before
    assert list(primary.zone(PLACE)) == [f"{PLACE} NS"]


def test_another_secret_replaces_the_first(primary: PowerDns, tmp_path: Path) -> None:
    run(NAMES, **ASKED)
    changed = run(NAMES, challenges=[BAR], challenge_keys=[key("backstage-web1", b"n")])
    assert planned(changed) == ["write backstage-web1"]
    assert "another" in str(changed.steps[0].before)
    assert update(tmp_path, PLACE, f'add {BAR}.{PLACE}. 1 TXT "one"') != ""


def test_a_key_that_is_not_listed_counts_no_more(primary: PowerDns, tmp_path: Path) -> None:
    """This needs no prune. A key that somebody else has allowed stays."""
    run(NAMES, challenges=[BAR], challenge_keys=[WEB1, WEB2])
    allowed = {"kind": "TSIG-ALLOW-DNSUPDATE", "metadata": ["by-hand", "backstage-web1", "backstage-web2"]}
    primary.ask("PUT", f"/zones/{PLACE}./metadata/TSIG-ALLOW-DNSUPDATE", allowed)
    left = run(NAMES, challenges=[BAR], challenge_keys=[WEB2])
    assert planned(left) == [f"allow {PLACE}", "remove backstage-web1"]
    assert sorted(metadata(primary, "TSIG-ALLOW-DNSUPDATE")) == ["backstage-web2", "by-hand"]
    assert keys(primary) == ["backstage-web2"]
    assert update(tmp_path, PLACE, f'add {BAR}.{PLACE}. 1 TXT "one"', WEB1) != ""
    assert update(tmp_path, PLACE, f'add {BAR}.{PLACE}. 1 TXT "one"', WEB2) == ""


def test_a_name_without_a_challenge_loses_its_cname(primary: PowerDns) -> None:
    """The zone of challenges stays, and no key counts there."""
    run(NAMES, **ASKED)
    assert planned(run(NAMES)) == [f"remove _acme-challenge.{BAR} CNAME", f"allow {PLACE}", "remove backstage-web1"]
    assert run(NAMES).steps == []
    assert (metadata(primary, "TSIG-ALLOW-DNSUPDATE"), keys(primary)) == ([], [])


def test_two_productions_share_a_zone_of_challenges(primary: PowerDns, tmp_path: Path) -> None:
    """A host has one key for both. When one Production is struck, the key counts for the other one."""
    run(NAMES, **ASKED)
    dogs = {"production": "dogs", "challenges": [f"dogs.{ZONE}"], "challenge_keys": [WEB1]}
    names = {f"dogs.{ZONE}": ["192.0.2.9"]}
    assert planned(run(names, **dogs)) == [
        f"write _acme-challenge.dogs.{ZONE} CNAME",
        f"write dogs.{ZONE} A",
        f"allow {PLACE}",
    ]
    assert run(NAMES, **ASKED).steps == []
    assert f"allow {PLACE}" in planned(run({}, state="absent"))
    assert update(tmp_path, PLACE, f'add dogs.{ZONE}.{PLACE}. 1 TXT "one"') == ""
    assert run(names, **dogs).steps == []
    run({}, state="absent", production="dogs")
    assert (metadata(primary, "TSIG-ALLOW-DNSUPDATE"), keys(primary)) == ([], [])
    assert run({}, state="absent", production="dogs").steps == []


def test_a_run_that_was_killed_is_finished_by_the_next_one(primary: PowerDns, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed at each request that writes, while challenges are set up and while they are removed."""
    asked = manager.Api._ask
    left = 0

    def ask(api: Any, method: str, path: str, data: Any) -> bytes:
        nonlocal left
        left -= method != "GET"
        if left < 0:
            raise KeyboardInterrupt
        return asked(api, method, path, data)

    monkeypatch.setattr(manager.Api, "_ask", ask)
    for given in (ASKED, {}):
        for number in range(20):
            left = number
            try:
                run(NAMES, **given)
            except KeyboardInterrupt:
                continue
            break
        assert number < 19
        left = 100
        assert run(NAMES, **given).steps == []
    assert (metadata(primary, "TSIG-ALLOW-DNSUPDATE"), keys(primary)) == ([], [])


def test_foreign_records_in_the_way_are_named(primary: PowerDns) -> None:
    """FAULTS 82: a TXT record of another program at the name of the challenge, and a foreign zone acme."""
    run(NAMES)
    primary.by_hand(ZONE, f"_acme-challenge.{BAR}", "TXT", '"of another program"')
    assert f"_acme-challenge.{BAR} has a record TXT" in told(run, NAMES, **ASKED)
    primary.by_hand(ZONE, f"_acme-challenge.{BAR}", "TXT")
    primary.by_hand(ZONE, PLACE, "NS", "ns.elsewhere.test.")
    assert f"{PLACE} has a record NS ns.elsewhere.test. that is not" in told(run, NAMES, **ASKED)
    primary.by_hand(ZONE, PLACE, "NS")
    primary.ask("POST", "/zones", {"name": f"{PLACE}.", "kind": "Native", "nameservers": [f"ns1.{ZONE}."]})
    before = primary.zone(ZONE)
    assert f"the zone {PLACE} is somebody else's" in told(run, NAMES, **ASKED)
    assert (primary.zone(ZONE), keys(primary)) == (before, [])
    primary.by_hand(ZONE, PLACE, "NS", f"ns1.{ZONE}.")
    assert run(NAMES).steps == [], "without challenges it is in nobody's way"


def test_a_signed_zone_says_that_its_challenges_are_not_signed(primary: PowerDns) -> None:
    """Otherwise a validating resolver would drop the answer."""
    run(NAMES, dnssec=True, **ASKED)
    dig = ["dig", "+dnssec", "+norecurse", f"@{PRIMARY}", "DS", PLACE]
    said = subprocess.run(dig, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "NOERROR" in said
    assert "NSEC" in said
    assert "\tDS\t" not in said


REFUSED = [
    ({"challenges": ["*.example.test"]}, "challenges: '*.example.test': use a DNS host name"),
    ({"challenge_keys": []}, "challenge_keys: give the key of each host that answers the challenges"),
    ({"name_servers": []}, "name_servers: name the primary, which answers the challenges"),
    ({"challenges": [f"acme.{ZONE}"]}, f"challenges: 'acme.{ZONE}': lies in the zone of challenges acme.{ZONE}"),
    ({"names": [{"name": f"a.acme.{ZONE}", "addresses": []}]}, f"names: 'a.acme.{ZONE}': lies in the zone of"),
    ({"zones": [ZONE, PLACE]}, f"zones: '{PLACE}': it is the zone of challenges of {ZONE}"),
    ({"challenges": ["x" * 60 + "." + "y" * 60 + f".{ZONE}"], "zones": [f"{'z' * 60}.{ZONE}", ZONE]}, ""),
    ({"challenges": [".".join(["x" * 60] * 3 + ["y" * 45, ZONE])]}, "is too long for a challenge"),
    ({"challenge_keys": ["nonsense secret"]}, "challenge_keys: one is no key with hmac-sha256; make it with"),
    ({"challenge_keys": [key("transfer")]}, "challenge_keys: 'transfer': could be the name of somebody else's key"),
    ({"challenge_keys": [WEB1, key("backstage-web1", b"x")]}, "challenge_keys: 'backstage-web1': is there twice"),
    ({"primaries": ["192.0.2.1"]}, "challenges: a server with primaries copies its records"),
]


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_what_is_refused(given: dict[str, Any], said: str) -> None:
    servers = [{"name": f"ns1.{ZONE}", "addresses": [SECONDARY]}]
    message = told(orders.read, options(**{"name_servers": servers, **ASKED, **given}))
    assert said in message
    assert bool(message) == bool(said)
    assert "secret" not in message


def test_the_secret_is_in_no_plan(primary: PowerDns) -> None:
    found = manager.check(order(NAMES, **ASKED))
    assert base64.b64encode(b"k" * 32).decode() not in str(found) + str(found.result()) + str(order(NAMES, **ASKED))
