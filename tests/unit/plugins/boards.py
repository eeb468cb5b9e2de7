# SPDX-License-Identifier: GPL-3.0-or-later
"""What backstage_info returns of a host with some Acts, in every state that there is."""

from __future__ import annotations

from typing import Any

STATES = ("playing", "dark", "stopped", "not playing")
SINCE = "2026-11-21T11:13:08Z"


def release(number: int) -> str:
    return f"{number * 7919 + 17:012x}"


def status(number: int, state: str = "playing", **more: Any) -> dict[str, Any]:
    plays = state in ("playing", "dark")
    return {
        "state": state,
        "release": release(number) if plays else None,
        "source": f"v1.{number}" if plays else None,
        "sess": f"{release(number)}.2" if plays else None,
        "since": SINCE if plays else None,
        "by": "ada" if plays else None,
        "processes": 3 if plays else 0,
        "memory": (40 + number) * 2**20 if plays else 0,
        "requests": number * 137 % 4000,
        "errors": 0,
        "counted_since": SINCE,
        "last_error": None,
        "pending": [] if plays else None,
        "set": {
            "apps": ["django.contrib.admin", "django.contrib.auth", f"act{number}"],
            "packages": ["Django==5.2.15", "psycopg==3.3.9", "asgiref==3.11.0"],
            "static_files": 130 + number,
            "static_bytes": 2_000_000,
            "unpinned_since": None,
        }
        if plays
        else None,
        "held": None,
        "stopped": {"at": SINCE, "by": "ada"} if state == "stopped" else None,
        **more,
    }


def answer(act: str, code: int = 200, state: str = "open", error: str = "") -> dict[str, Any]:
    return {"url": f"https://{act}.example.com/", "status": code, "state": state, "act": act, "error": error}


def info(statuses: dict[str, dict[str, Any]], answers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    history = [{"event": event, "at": SINCE, "by": "ada", "release": release(1)} for event in ("built", "played")]
    return {
        "status": statuses,
        "remarks": [],
        "certificates": {},
        "answers": answers,
        "drift": [],
        "acts": {name: {"history": history, "timers": {}} for name in statuses},
        "sesses": {name: {"processes": 2, "threads": 4, "workers": {}, "limits": {}} for name in statuses},
        **more,
    }


def three() -> dict[str, Any]:
    """One Act that plays, one with something to look at, and one in trouble."""
    error = {"at": "2026-11-30T10:00:00Z", "text": "OperationalError: connection to server failed"}
    statuses = {
        "kittens": status(1),
        "puppies": status(2, pending=["puppies.0003_tail"], errors=4, last_error=error),
        "birds": status(3, "dark"),
    }
    certificate = {"kind": "files", "names": ["kittens.example.com"], "ends": "2026-12-09T00:00:00Z", "days": 8}
    return info(
        statuses,
        [answer("kittens"), answer("puppies"), answer("birds", 502)],
        remarks=["act puppies: pending migrations: puppies.0003_tail", f"act puppies: last error: {error['text']}"],
        certificates={"kittens.example.com": certificate},
        drift=[{"line": "drift: act kittens: /srv/backstage/cats/acts/kittens/live: changed by hand; site repairs it"}],
    )


def many(count: int) -> dict[str, Any]:
    names = [f"act-{number:03}" for number in range(count)]
    states = [STATES[0] if number % 9 else STATES[number % 4] for number in range(count)]
    statuses = {name: status(number, state) for number, (name, state) in enumerate(zip(names, states))}
    return info(statuses, [answer(name, 200 if state == "playing" else 502) for name, state in zip(names, states)])
