# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch: no visitor notices that another Sess plays, except by what it plays. Each test goes on from the last."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from hashlib import md5
from typing import Any

from conftest import CORNER, FIRST_KEY, Street

NEXT_KEY, THIRD_KEY = "the-next-key-of-the-busker-b19e", "the-third-key-of-the-busker-4c82"
SLOW = f"{CORNER}/slow/?seconds=1.5"
EDITIONS = {number: f'body {{ content: "edition {word}"; }}\n' for number, word in enumerate(("one", "two", "three"), 1)}


def pleased(seen: list[dict[str, Any]], *venues: str, requests: int = 50) -> None:
    """Not one request failed, of enough to say so."""
    for visitors in seen:
        for venue in venues:
            assert visitors[venue].failed == []
            assert visitors[venue].requests >= requests


def pages(seen: list[dict[str, Any]], venue: str, key: str) -> list[list[str]]:
    """What visitors of each host read there, one after another."""
    return [re.findall(rf'"{key}": "([^"]*)"', "\n".join(visitors[venue].pages)) for visitors in seen]


def style(edition: int) -> str:
    """Where Django puts an edition's style sheet: its content is in its name."""
    return f"/static/busker/hat.{md5(EDITIONS[edition].encode(), usedforsecurity=False).hexdigest()[:12]}.css"


def statuses(street: Street, path: str) -> list[str]:
    ask = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {CORNER}", f"http://127.0.0.1{path}"]
    return [host.run(*ask) for host in street.hosts]


def test_the_first_deploy_plays(street: Street) -> None:
    plan = street.play()
    assert "play sess busker (nothing plays)" in plan
    assert street.play() == []


def test_new_code(street: Street) -> None:
    """Visitors read the old edition, then the new one, and never the old one again; slow requests end as they began."""
    street.acts["busker"]["source"]["version"] = "v2"
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        plan = street.play()
    assert plan[-1] == "change act busker" or "build act busker" in plan
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    assert pages(seen, CORNER, "edition") == [["one", "two"]] * 2
    assert pages(slow, CORNER, "edition") == [["one", "two"]] * 2
    assert [visitors[SQUARE].pages for visitors in seen] == [[visitors[SQUARE].pages[0]] for visitors in seen]
