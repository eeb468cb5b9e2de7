# SPDX-License-Identifier: GPL-3.0-or-later
"""Percentiles, windows and silences of recorded requests."""

from __future__ import annotations

import json

import generator
import pytest
from generator import Load, Request

OK, RESET = 0, 3


def request(end: float, ms: float = 1, outcome: int = OK, seen: int = 0, kind: int = 0) -> Request:
    return Request(end, round(ms * 1000), 200, seen, kind, outcome)


def a_load(*requests: Request, seen: tuple[str, ...] = ("",)) -> Load:
    accounts = {"started": 100.0, "ended": 104.0, "seen": list(seen)}
    for number, name in enumerate(generator.KINDS):
        mine = [one for one in requests if one.kind == number]
        failed = sum(bool(one.outcome) for one in mine)
        failures = {"reset": failed} if failed else {}
        accounts[name] = {"requests": len(mine), "failed": failed, "failures": failures, "resent": 0}
    return Load(accounts, sorted(requests))


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.9, 90.0), (0.99, 99.0), (0.999, 100.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_percentiles_are_nearest_ranks(share: float, expected: float) -> None:
    assert generator.percentile([number * 1000 for number in range(1, 101)], share) == expected


def test_a_percentile_of_nothing_is_zero() -> None:
    assert generator.percentile([], 0.99) == 0.0


def test_a_window_holds_what_ended_in_it() -> None:
    load = a_load(*(request(100 + number / 10) for number in range(40)))
    found = generator.within(load.requests, [(100.5, 101.0), (103.0, 103.2)])
    assert [round(one.end, 1) for one in found] == [100.5, 100.6, 100.7, 100.8, 100.9, 103.0, 103.1]


def test_a_summary_counts_failures_and_measures_answers() -> None:
    load = a_load(request(101.0, 2), request(101.5, 4), request(102.0, 9000, RESET), request(102.5, 5000, kind=1))
    assert generator.summary(load, [(101, 103)]) == {
        "requests": 3,
        "failed": 1,
        "per_second": 2,
        "p50_ms": 2.0,
        "p90_ms": 4.0,
        "p99_ms": 4.0,
        "p999_ms": 4.0,
        "max_ms": 4.0,
        "silence_ms": 1500.0,
    }
    assert generator.summary(load, [(101, 103)], "slow")["p50_ms"] == 5000.0
    assert load.failed == 1
    assert load.failures() == {"reset": 1}


def test_silence_reaches_to_the_window_s_ends_and_a_failure_breaks_none() -> None:
    load = a_load(request(101.0), request(101.2), request(102.0, outcome=RESET))
    assert generator.silence_ms(load.requests, [(100.9, 101.3)]) == pytest.approx(200)
    assert generator.silence_ms(load.requests, [(100.9, 103.2)]) == pytest.approx(2000)
    assert generator.silence_ms(load.requests, [(103, 104)]) == pytest.approx(1000)


def test_the_first_answer_of_a_release() -> None:
    load = a_load(request(101, seen=1), request(102, seen=2, outcome=RESET), request(103, seen=2), seen=("", "a", "b"))
    assert generator.first_answer(load, "b", 100) == 103
    assert generator.first_answer(load, "a", 101.5) is None
    assert generator.first_answer(load, "c", 100) is None


def test_accounts_and_records_must_agree() -> None:
    accounts = json.dumps({kind: {"requests": 1} for kind in generator.KINDS})
    two = b"".join(generator.RECORD.pack(1.0, 1, 200, 0, kind, 0, 0) for kind in (0, 1))
    with pytest.raises(ValueError, match="tells of 3 requests and recorded 2"):
        generator.read(accounts, two)
