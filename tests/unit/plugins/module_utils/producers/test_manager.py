# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of Productions in a real PowerDNS are written, corrected and removed. Records of others never change."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import manager, questions
from ansible_collections.backstage.django.plugins.module_utils.producers.records import Change, Records

from ...powerdns import PowerDns
from ...told import told
from .conftest import PRIMARY, SECONDARY, ZONE, order, planned, run

BAR, CLUB = f"bar.{ZONE}", f"club.{ZONE}"
NAMES = {BAR: ["192.0.2.7"], CLUB: ["2001:DB8:0::7", "192.0.2.8", "192.0.2.7"]}
BOTH = {"name_servers": {f"ns1.{ZONE}": [PRIMARY], f"ns2.{ZONE}": [SECONDARY]}}
SERVERS = {f"{ZONE} NS": [f"ns1.{ZONE}."], f"ns1.{ZONE} A": [PRIMARY]}
OURS = {f"{BAR} A": ["192.0.2.7"], f"{CLUB} A": ["192.0.2.7", "192.0.2.8"], f"{CLUB} AAAA": ["2001:db8::7"]}


def copy(primary: str = PRIMARY) -> manager.Outcome:
    """Make the zone at the secondary, before the primary has it."""
    return run({}, api=f"http://{SECONDARY}:8081", primaries=[primary], name_servers={})


def test_an_empty_server(primary: PowerDns) -> None:
    """A run makes the zone, with its name servers and their addresses. A second run changes nothing."""
    before = manager.check(order(NAMES))
    assert primary.ask("GET", f"/zones/{ZONE}.")[0] == 404, "a plan changes nothing"
    first = run(NAMES)
    assert primary.zone(ZONE) == {**SERVERS, **OURS}
    assert planned(first) == planned(before) == [f"create {ZONE}", *(f"write {key}" for key in OURS)]
    assert first.behind == []
    again = run(NAMES)
    assert (again.steps, again.behind, again.serials) == ([], [], first.serials)
    assert questions.serial(PRIMARY, f"{ZONE}.") == first.serials[ZONE]


def test_a_change_is_one_request_for_each_zone(primary: PowerDns, monkeypatch: pytest.MonkeyPatch) -> None:
    run(NAMES)
    calls: list[str] = []
    asked = manager.Api._ask

    def ask(api: Any, method: str, path: str, data: Any) -> bytes:
        calls.append(f"{method} {path}")
        return asked(api, method, path, data)

    monkeypatch.setattr(manager.Api, "_ask", ask)
    run(NAMES)
    assert calls == [f"GET /zones/{ZONE}."]
    calls.clear()
    moved = run({BAR: ["192.0.2.99"], CLUB: ["192.0.2.8"]})
    assert planned(moved) == [f"remove {CLUB} AAAA", f"write {BAR} A", f"write {CLUB} A"]
    assert [call.split()[0] for call in calls] == ["GET", "PATCH", "GET", "PUT"]
    assert moved.steps[1].diff()["before"] == f"{BAR}. 300 A 192.0.2.7\n"


def test_only_prune_removes_records_of_names_that_are_not_listed(primary: PowerDns) -> None:
    run(NAMES)
    kept = run({BAR: NAMES[BAR]})
    assert (kept.steps, kept.unlisted) == ([], [CLUB])
    assert "backstage_prune" in kept.warnings()[0]
    pruned = run({BAR: NAMES[BAR]}, prune=True)
    assert planned(pruned) == [f"remove {CLUB} A", f"remove {CLUB} AAAA"]
    gone = run({BAR: []})
    assert planned(gone) == [f"remove {BAR} A"]
    assert primary.zone(ZONE) == SERVERS


def test_records_of_others_stay(primary: PowerDns) -> None:
    """FAULTS 82: records made by hand stay, and one that is in the way is named before anything changes."""
    run(NAMES)
    primary.by_hand(ZONE, f"mail.{ZONE}", "A", "192.0.2.25")
    primary.by_hand(ZONE, f"new.{ZONE}", "CNAME", f"elsewhere.{ZONE}.")
    before = primary.ask("GET", f"/zones/{ZONE}.")
    said = told(run, {**NAMES, f"new.{ZONE}": ["192.0.2.7"], BAR: ["192.0.2.99"]})
    assert f"new.{ZONE} has a record CNAME elsewhere.{ZONE}. that is not this Production's" in said
    assert "Nothing was changed" in said
    assert primary.ask("GET", f"/zones/{ZONE}.") == before, "its serial, too"
    assert run({}, state="absent").steps
    assert primary.zone(ZONE) == {
        **SERVERS,
        f"mail.{ZONE} A": ["192.0.2.25"],
        f"new.{ZONE} CNAME": [f"elsewhere.{ZONE}."],
    }


def test_our_records_that_were_changed_by_hand(primary: PowerDns) -> None:
    """FAULTS 82: a plan shows them, and a run corrects them."""
    run(NAMES)
    primary.by_hand(ZONE, BAR, "A", "192.0.2.66", account="backstage:cats")
    assert planned(manager.check(order(NAMES))) == [f"write {BAR} A"]
    run(NAMES)
    assert primary.zone(ZONE)[f"{BAR} A"] == ["192.0.2.7"]


def test_a_foreign_record_with_the_same_content_stays(primary: PowerDns) -> None:
    assert run({}).behind == [], "a new zone without our records is answered with its serial at once, too"
    primary.by_hand(ZONE, BAR, "A", "192.0.2.7")
    assert run({BAR: ["192.0.2.7"]}, ttl=60).steps == []
    assert run({}, state="absent").steps == [], "it stays his"


def test_two_productions_in_one_zone(primary: PowerDns) -> None:
    """FAULTS 82: neither takes records of the other one, and strike removes only its own."""
    run(NAMES)
    run({f"dogs.{ZONE}": ["192.0.2.9"]}, production="dogs")
    assert run(NAMES, prune=True).steps == []
    assert f"{BAR} has a record A 192.0.2.7" in told(run, {BAR: ["192.0.2.9"]}, production="dogs")
    run({}, state="absent")
    assert primary.zone(ZONE) == {**SERVERS, f"dogs.{ZONE} A": ["192.0.2.9"]}


def test_two_controllers_one_after_the_other(primary: PowerDns) -> None:
    """FAULTS 82: the last one wins, and the next run of the first one changes the record back."""
    right, wrong = order(NAMES), order({**NAMES, BAR: ["192.0.2.99"]})
    manager.reconcile(right)
    manager.reconcile(wrong)
    assert planned(manager.reconcile(right)) == [f"write {BAR} A"]
    assert manager.reconcile(right).steps == []


def test_two_controllers_at_once(primary: PowerDns) -> None:
    """FAULTS 82: each record is that of one of them, none is lost, and a later run changes them back."""
    # without a wait: PowerDNS may answer an earlier serial from its cache for a while when two write at once
    right, wrong = order(NAMES, wait=0), order({**NAMES, BAR: ["192.0.2.99"], f"new.{ZONE}": ["192.0.2.99"]}, wait=0)
    manager.reconcile(order({}))
    with ThreadPoolExecutor(2) as pool:
        for run_of in [pool.submit(manager.reconcile, one) for one in (right, wrong) * 3]:
            run_of.result()
    found = primary.zone(ZONE)
    assert found[f"{BAR} A"] in (["192.0.2.7"], ["192.0.2.99"])
    assert found == {**SERVERS, **OURS, f"{BAR} A": found[f"{BAR} A"], f"new.{ZONE} A": ["192.0.2.99"]}
    mended = manager.reconcile(right)
    assert mended.unlisted == [f"new.{ZONE}"]
    assert primary.zone(ZONE)[f"{BAR} A"] == ["192.0.2.7"]
    assert manager.reconcile(right).steps == []


def test_a_part_of_the_zone_that_is_delegated(primary: PowerDns) -> None:
    """Nobody would see a record there."""
    run({})
    primary.by_hand(ZONE, f"lan.{ZONE}", "NS", "ns.elsewhere.test.")
    assert f"bar.lan.{ZONE} lies in lan.{ZONE}" in told(run, {f"bar.lan.{ZONE}": ["192.0.2.7"]})


def test_a_name_is_written_in_the_longest_zone(primary: PowerDns) -> None:
    zones = [ZONE, f"lan.{ZONE}"]
    found = run({f"bar.lan.{ZONE}": ["192.0.2.7"], "bar.elsewhere.test": ["192.0.2.7"]}, zones=zones)
    assert f"bar.lan.{ZONE} A" in primary.zone(f"lan.{ZONE}")
    assert f"bar.lan.{ZONE} A" not in primary.zone(ZONE)
    assert found.homeless == ["bar.elsewhere.test"]
    assert "none of the zones has bar.elsewhere.test" in found.warnings()[0]


def test_the_zone_itself_and_a_name_of_another_zone(primary: PowerDns) -> None:
    """FAULTS 49: the name servers of a zone stay, and nothing is written for a name of another zone."""
    found = run({ZONE: ["192.0.2.7"], "bar.elsewhere.test": ["192.0.2.7"]})
    assert primary.zone(ZONE) == {**SERVERS, f"{ZONE} A": ["192.0.2.7"]}
    assert found.homeless == ["bar.elsewhere.test"]
    assert planned(run({ZONE: []})) == [f"remove {ZONE} A"]
    assert primary.zone(ZONE) == SERVERS


def test_every_name_server_is_asked_for_the_serial(primary: PowerDns, secondary: PowerDns) -> None:
    """FAULTS 83: each change reaches the secondary in the same run, because it is notified."""
    assert planned(copy()) == [f"copy {ZONE}"]
    for number in range(1, 4):
        found = run({BAR: [f"192.0.2.{number}"]}, **BOTH)
        assert found.behind == []
        (answer,) = questions.ask(SECONDARY, f"{BAR}.", questions.A)
        assert answer.value == f"192.0.2.{number}"


def test_a_secondary_that_is_away(primary: PowerDns, secondary: PowerDns) -> None:
    """FAULTS 83: the run names it, and the next run notifies it, which is no change."""
    copy()
    assert run({}, **BOTH).behind == []
    secondary.stop()
    found = run(NAMES, wait=1, **BOTH)
    assert f"name server ns2.{ZONE} ({SECONDARY}) has not got the zone {ZONE}" in found.behind[0]
    secondary.start()
    again = run(NAMES, **BOTH)
    assert (again.steps, again.behind) == ([], [])
    assert questions.serial(SECONDARY, f"{ZONE}.") == again.serials[ZONE]


def test_a_name_server_without_the_zone(primary: PowerDns, secondary: PowerDns) -> None:
    found = run(NAMES, wait=0, **BOTH)
    assert "it refused" in found.behind[0]


def test_a_stopped_server(primary: PowerDns) -> None:
    """FAULTS 80."""
    primary.stop()
    assert "does not answer at http://127.0.0.53:8081 ([Errno 111] Connection refused)" in told(run, NAMES)


def test_a_server_that_is_just_starting(primary: PowerDns) -> None:
    """FAULTS 80: for example after a change of its configuration."""
    primary.stop()
    starting = order(NAMES)
    timer = Timer(0.5, primary.start)
    timer.start()
    try:
        assert manager.reconcile(starting).steps
    finally:
        timer.join()


def test_a_frozen_server(primary: PowerDns) -> None:
    """FAULTS 80: the wait is bounded."""
    began = time.monotonic()
    with primary.frozen():
        assert "timed out" in told(run, NAMES, timeout=1)
    assert time.monotonic() - began < 100
    assert run(NAMES).steps


def test_a_wrong_key(primary: PowerDns) -> None:
    """FAULTS 80."""
    said = told(run, NAMES, key="nonsense")
    assert "401: the API key is not this server's" in said
    assert "nonsense" not in said


def test_a_zone_that_is_a_copy(primary: PowerDns) -> None:
    primary.copies(ZONE, SECONDARY)
    assert "is a copy at http://127.0.0.53:8081: give the API of its primary" in told(run, NAMES)


def test_a_zone_that_is_missing(primary: PowerDns) -> None:
    """FAULTS 80: 404."""
    assert f"there is no zone {ZONE} at" in told(run, NAMES, name_servers={})
    assert run({}, state="absent", name_servers={}).steps == []


def test_powerdns_refuses_a_record(primary: PowerDns) -> None:
    """FAULTS 80: the message has PowerDNS's own words for 422, and the serial stays."""
    run(NAMES)
    serial = questions.serial(PRIMARY, f"{ZONE}.")
    good, bad = Records(60, ("192.0.2.1",)), Records(60, ("nonsense",))
    rrsets = [Change((f"{name}.{ZONE}.", "A"), None, after).rrset("cats") for name, after in (("x", good), ("y", bad))]
    said = told(manager._api(order({})).change, f"{ZONE}.", rrsets)
    assert "422: PowerDNS does not take it: " in said
    assert "nonsense" in said
    assert questions.serial(PRIMARY, f"{ZONE}.") == serial


def test_dnssec(primary: PowerDns) -> None:
    """A zone is signed if the option asks for it, and stays signed."""
    run(NAMES)
    assert planned(run(NAMES, dnssec=True)) == [f"sign {ZONE}"]
    assert primary.ask("GET", f"/zones/{ZONE}.")[1]["dnssec"]
    assert run(NAMES, dnssec=True).steps == []
    assert run(NAMES).steps == []
    moved = run({**NAMES, BAR: ["192.0.2.99"]}, dnssec=True)
    assert (planned(moved), moved.behind) == ([f"write {BAR} A"], [])
