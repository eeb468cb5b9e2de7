# SPDX-License-Identifier: GPL-3.0-or-later
"""load.c from Python: build it, read what it wrote, and say what happened in which window of time."""

from __future__ import annotations

import json
import math
import struct
import subprocess
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

SOURCE = Path(__file__).with_name("load.c")
KINDS = ("main", "slow", "static")
RECORD = struct.Struct("<dIIHBBI")
Span = tuple[float, float]  # of epoch seconds


class Request(NamedTuple):
    """One request's end, as load.c recorded it."""

    end: float
    latency_us: int
    status: int
    seen: int
    kind: int
    outcome: int  # 0: a complete answer that counts as good
    reserved: int = 0


@dataclass(frozen=True)
class Load:
    """The accounts of one load, and each of its requests in order of their ends."""

    accounts: dict[str, Any]
    requests: list[Request]

    @property
    def failed(self) -> int:
        return sum(int(self.accounts[kind]["failed"]) for kind in KINDS)

    @property
    def resent(self) -> int:
        return sum(int(self.accounts[kind]["resent"]) for kind in KINDS)

    def failures(self) -> dict[str, int]:
        """How requests of all kinds failed: a status or a way to break off, and how often."""
        total: dict[str, int] = {}
        for kind in KINDS:
            for name, count in self.accounts[kind]["failures"].items():
                total[name] = total.get(name, 0) + count
        return total


def build(directory: Path) -> Path:
    """Compile load.c; static, because it runs on hosts of another Debian than the controller's."""
    program = directory / "load"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", program, SOURCE], check=True)
    return program


def read(accounts: str, records: bytes) -> Load:
    requests = sorted((Request(*fields) for fields in RECORD.iter_unpack(records)), key=attrgetter("end"))
    load = Load(json.loads(accounts), requests)
    told = sum(load.accounts[kind]["requests"] for kind in KINDS)
    if told != len(load.requests):
        raise ValueError(f"the load tells of {told} requests and recorded {len(load.requests)}")
    return load


def percentile(ordered: Sequence[int], share: float) -> float:
    """Nearest rank, in milliseconds."""
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] / 1000 if ordered else 0.0


def within(requests: Sequence[Request], spans: Iterable[Span]) -> list[Request]:
    """Requests, ordered by their ends, that ended inside one of the spans."""
    found: list[Request] = []
    for start, end in spans:
        first, behind = (bisect_left(requests, moment, key=attrgetter("end")) for moment in (start, end))
        found += requests[first:behind]
    return found


def silence_ms(requests: Sequence[Request], spans: Iterable[Span]) -> float:
    """The longest time inside one span without a good answer: a stall that percentiles of a closed loop hide."""
    longest = 0.0
    for span in spans:
        good = (request.end for request in within(requests, [span]) if not request.outcome)
        longest = max(longest, *(later - earlier for earlier, later in pairwise([span[0], *good, span[1]])))
    return longest * 1000


def summary(load: Load, spans: Sequence[Span], kind: str = "main") -> dict[str, Any]:
    """What happened to requests of one kind that ended in these spans."""
    requests = [request for request in within(load.requests, spans) if KINDS[request.kind] == kind]
    ordered = sorted(request.latency_us for request in requests if not request.outcome)
    seconds = sum(end - start for start, end in spans)
    return {
        "requests": len(requests),
        "failed": len(requests) - len(ordered),
        "per_second": round(len(requests) / seconds) if seconds else 0,
        "p50_ms": round(percentile(ordered, 0.5), 2),
        "p90_ms": round(percentile(ordered, 0.9), 2),
        "p99_ms": round(percentile(ordered, 0.99), 2),
        "p999_ms": round(percentile(ordered, 0.999), 2),
        "max_ms": round(percentile(ordered, 1.0), 2),
        "silence_ms": round(silence_ms(requests, spans), 1),
    }


def series(load: Load, step: float = 0.5) -> list[dict[str, Any]]:
    """The main requests in steps of time: when, how many, how many failed, p99."""
    start, end = load.accounts["started"], load.accounts["ended"]
    steps = []
    for number in range(math.ceil((end - start) / step)):
        part = summary(load, [(start + number * step, start + (number + 1) * step)])
        steps.append(
            {"time": round(start + number * step, 3), **{key: part[key] for key in ("requests", "failed", "p99_ms")}}
        )
    return steps


def first_answer(load: Load, value: str, after: float) -> float | None:
    """When the first good answer with this value of the --seen header ended, counted from that moment on."""
    names = load.accounts["seen"]
    number = names.index(value) if value in names else -1
    return next((r.end for r in load.requests if r.seen == number and not r.outcome and r.end >= after), None)
