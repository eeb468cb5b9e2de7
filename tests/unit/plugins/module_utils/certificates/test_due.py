# SPDX-License-Identifier: GPL-3.0-or-later
"""When a certificate is renewed. FAULTS 71, 74, 75, 78."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import due
from ansible_collections.backstage.django.plugins.module_utils.certificates.wishes import Wish

DAY = 86400
NAMES = ("a.example", "www.a.example")
WISH = Wish("jazz", NAMES, "https://ca.example/dir")
SEALED = {
    "kind": "acme",
    "names": list(NAMES),
    "directory": WISH.directory,
    "missing": {},
    "begins": 0,
    "ends": 90 * DAY,
}
LACKS = {"names": ["a.example"], "missing": {"www.a.example": "no address"}}


@pytest.mark.parametrize(
    ("sealed", "state", "day", "why"),
    [
        ({}, {}, 1, ""),
        ({}, {}, 59.9, ""),
        ({}, {}, 60.1, "it ends soon"),
        ({}, {}, 400, "it ends soon"),
        ({}, {}, -400, ""),
        ({"ends": 6 * DAY}, {}, 3.9, ""),
        ({"ends": 6 * DAY}, {}, 4.1, "it ends soon"),
        ({"kind": "selfsigned"}, {}, 1, "there is none from the authority yet"),
        ({"kind": "files"}, {}, 1, "there is none from the authority yet"),
        ({"names": ["a.example"]}, {}, 1, "it is for other names"),
        ({"names": [*NAMES, "old.example"]}, {}, 1, "it is for other names"),
        ({"directory": "https://other.example"}, {}, 1, "it is from another authority"),
        ({}, {"window": {"start": 30 * DAY}}, 29, ""),
        ({}, {"window": {"start": 30 * DAY}}, 31, "the authority asks for it"),
        (LACKS, {}, 0.9, ""),
        (LACKS, {}, 1.1, "it lacks www.a.example"),
        (LACKS, {"next": 10 * DAY}, 9, ""),
        (LACKS, {"next": 10 * DAY}, 10, "it lacks www.a.example"),
        ({**LACKS, "missing": {"left.example": "no address"}}, {}, 1, "it is for other names"),
    ],
)
def test_why(sealed: dict[str, Any], state: dict[str, Any], day: float, why: str) -> None:
    assert due.reason(WISH, {**SEALED, **sealed}, state, day * DAY) == why


def test_a_name_that_was_removed_is_no_reason() -> None:
    """The alias that was dead leaves the manifest: the certificate is as it should be."""
    wish = Wish("jazz", ("a.example",), WISH.directory)
    sealed = {**SEALED, **LACKS}
    assert due.reason(wish, sealed, {}, 2 * DAY) == ""
    assert due.still_missing(wish, sealed) == {}


@pytest.mark.parametrize(
    ("failures", "at_least", "seconds"),
    [
        (1, 0, 600),
        (2, 0, 1200),
        (7, 0, 38400),
        (8, 0, DAY / 2),
        (100, 0, DAY / 2),
        (1, DAY, DAY),
        (1, 30 * DAY, 2 * DAY - 60),
    ],
)
def test_an_authority_that_refused_is_not_asked_at_once(failures: int, at_least: float, seconds: float) -> None:
    assert due.next_try(failures, 1000, at_least) == 1000 + seconds


@pytest.mark.parametrize(
    ("after", "is_time"),
    [(None, True), (999, True), (1000, True), (1001, False), (1000 + DAY, False), (1001 + 2 * DAY, True)],
)
def test_when_it_is_asked_again(after: float, is_time: bool) -> None:
    """A moment that is far away was written by a wrong clock."""
    assert due.is_time({} if after is None else {"next": after}, 1000) is is_time


def test_hosts_renew_at_different_moments() -> None:
    window = {"start": 100.0, "end": 200.0, "again": 60.0}
    assert due.spread(window, 0.25) == {"start": 125.0, "again": 60.0}
    assert due.spread({"again": 60.0}, 0.25) == {"again": 60.0}
