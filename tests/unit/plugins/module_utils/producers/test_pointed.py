# SPDX-License-Identifier: GPL-3.0-or-later
"""Where names point, asked of real PowerDNS servers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import pointed, questions

from ...powerdns import PowerDns
from .conftest import PRIMARY, SECONDARY, ZONE, run

BAR = f"bar.{ZONE}"
SERVERS = {"ns1": [PRIMARY]}
WANTED = ["192.0.2.7", "2001:db8::7"]


def lines(wanted: dict[str, list[str]], servers: dict[str, list[str]]) -> list[str]:
    return [one.line for one in pointed.ask(wanted, servers)]


@pytest.mark.parametrize(
    ("records", "line"),
    [
        ({"A": ["192.0.2.7"], "AAAA": ["2001:db8::7"]}, "192.0.2.7, 2001:db8::7"),
        ({"A": ["192.0.2.7"]}, "192.0.2.7 instead of 192.0.2.7, 2001:db8::7"),
        ({"A": ["192.0.2.9"]}, "192.0.2.9 instead of 192.0.2.7, 2001:db8::7"),
        ({}, "no address instead of 192.0.2.7, 2001:db8::7"),
        ({"CNAME": [f"club.{ZONE}."]}, "192.0.2.7, 2001:db8::7"),
        ({"CNAME": ["elsewhere.invalid."]}, "CNAME elsewhere.invalid instead of 192.0.2.7, 2001:db8::7"),
    ],
)
def test_a_name(primary: PowerDns, records: dict[str, list[str]], line: str) -> None:
    run({f"club.{ZONE}": WANTED})
    for kind, contents in records.items():
        primary.by_hand(ZONE, BAR, kind, *contents)
    assert lines({BAR: list(reversed(WANTED))}, SERVERS) == [
        f"DNS {BAR}: {line}" + (" (ns1, 127.0.0.53)" if "instead" in line else "")
    ]


def test_an_alias_of_a_name_with_one_kind_of_address(primary: PowerDns) -> None:
    run({f"club.{ZONE}": ["192.0.2.7"]})
    primary.by_hand(ZONE, BAR, "CNAME", f"club.{ZONE}.")
    assert lines({BAR: ["192.0.2.7"]}, SERVERS) == [f"DNS {BAR}: 192.0.2.7"]


def test_name_servers_that_differ(primary: PowerDns, secondary: PowerDns) -> None:
    """One line where they agree; else the ones that are wrong are named."""
    secondary.copies(ZONE, PRIMARY)
    both = {"ns1": [PRIMARY], "ns2": [SECONDARY]}
    run({BAR: ["192.0.2.7"]}, name_servers=both)
    assert lines({BAR: ["192.0.2.7"]}, both) == [f"DNS {BAR}: 192.0.2.7"]
    secondary.stop()
    run({BAR: ["192.0.2.8"]}, name_servers={"ns1": [PRIMARY]})
    primary.stop()
    secondary.start()
    found = pointed.ask({BAR: ["192.0.2.8"]}, {"ns2": [SECONDARY]})
    assert [(one.line, one.state) for one in found] == [
        (f"DNS {BAR}: 192.0.2.7 instead of 192.0.2.8 (ns2, {SECONDARY})", "differs")
    ]


def test_a_name_server_that_says_nothing_is_asked_once(primary: PowerDns, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAULTS 80: status waits for it once, and shows the rest."""
    run({BAR: ["192.0.2.7"]})
    asked: list[tuple[Any, ...]] = []
    ask = questions.ask

    def counted(*arguments: Any) -> Any:
        asked.append(arguments)
        return ask(*arguments)

    monkeypatch.setattr(questions, "ask", counted)
    servers = {"ns1": [PRIMARY], "ns2": [SECONDARY]}
    wanted = {BAR: ["192.0.2.7"], ZONE: ["192.0.2.7"], f"foo.{ZONE}": []}
    with primary.frozen():
        found = lines(wanted, servers)
    assert found == [
        f"DNS name server ns1 ({PRIMARY}): does not answer",
        f"DNS name server ns2 ({SECONDARY}): Connection refused",
    ]
    assert len(asked) == 2
    assert lines({BAR: ["192.0.2.7"]}, servers)[0] == f"DNS {BAR}: 192.0.2.7"


def test_a_zone_that_is_not_the_servers(primary: PowerDns) -> None:
    run({BAR: ["192.0.2.7"]})
    found = pointed.ask({"other.invalid": ["192.0.2.7"], BAR: ["192.0.2.7"]}, SERVERS)
    assert [(one.line, one.state) for one in found] == [
        (f"DNS other.invalid: refused (ns1, {PRIMARY})", "unknown"),
        (f"DNS {BAR}: 192.0.2.7", "right"),
    ]
