# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there, what should be there, and the difference, without any server."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers.records import (
    Change,
    Key,
    Records,
    Wanted,
    Zone,
    plan,
    wanted,
)

A: Key = ("a.example.test.", "A")
HERE, THERE = Records(300, ("192.0.2.7",)), Records(300, ("192.0.2.8",))
ASKED = Wanted({A[0]}, {A: HERE})


@pytest.mark.parametrize(
    ("foreign", "said"),
    [
        (A, "a.example.test has a record A 192.0.2.8 that is not this Production's"),
        ((A[0], "CNAME"), "a.example.test has a record CNAME"),
        ((A[0], "ALIAS"), "a.example.test has a record ALIAS"),
        ((A[0], "NS"), "a.example.test lies in a.example.test, which a record NS gives to"),
        (("test.", "NS"), "a.example.test lies in test, which"),
        ((A[0], "MX"), ""),
        ((A[0], "AAAA"), ""),
        (("example.test.", "NS"), ""),
        (("b.example.test.", "A"), ""),
        (("aa.example.test.", "NS"), ""),
    ],
)
def test_what_is_in_the_way(foreign: Key, said: str) -> None:
    found = plan(Zone("example.test.", foreign={foreign: THERE}), ASKED, prune=True)
    assert "".join(found.conflicts).startswith(said)
    assert found.changes == ([] if said else [Change(A, None, HERE)])


@pytest.mark.parametrize("before", [THERE, Records(60, HERE.contents)])
def test_another_address_and_another_time_to_live(before: Records) -> None:
    assert plan(Zone("example.test.", ours={A: before}), ASKED, prune=False).changes == [Change(A, before, HERE)]


def test_a_name_without_addresses_is_no_name_without_an_owner() -> None:
    ours = {A: HERE, ("b.example.test.", "A"): HERE}
    found = plan(Zone("example.test.", ours=ours), Wanted({A[0]}), prune=False)
    assert (found.changes, found.unlisted) == ([Change(A, HERE, None)], ["b.example.test"])


def test_a_name_belongs_to_the_longest_zone_that_it_ends_with() -> None:
    names = {"a.lan.example.test": ["192.0.2.7"], "example.test": ["2001:db8::1"], "notexample.test": ["192.0.2.7"]}
    found, homeless = wanted(names, ["example.test.", "lan.example.test."], 60)
    assert list(found["lan.example.test."].records) == [("a.lan.example.test.", "A")]
    assert list(found["example.test."].records) == [("example.test.", "AAAA")]
    assert homeless == ["notexample.test"]


def test_a_record_that_a_hand_has_disabled_is_not_there() -> None:
    rrset = {
        "name": "A.example.test.",
        "type": "A",
        "ttl": 300,
        "records": [{"content": "192.0.2.7", "disabled": True}],
        "comments": [{"account": "backstage:cats", "content": ""}],
    }
    data = {"name": "example.test.", "kind": "Native", "serial": 1, "rrsets": [rrset]}
    assert Zone.of(data, "backstage:cats").ours == {A: Records(300, ())}
    assert Zone.of(data, "backstage:cat").foreign == {A: Records(300, ())}
