# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask an Act for what its recipe promises: probe.py URL HOST ACT

URL is where its front of house listens (http://127.0.0.1:8080), HOST the Venue's name.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from make_acts import Recipe, load

TIMEOUT = 30

Probe = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a probe compares."""

    status: int
    location: str
    ctype: str
    body: str


def ask(url: str, host: str, path: str) -> Answer:
    """One request, on a connection of its own; redirects are not followed."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port or 80, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
        return Answer(
            response.status,
            response.headers.get("Location", ""),
            response.headers.get("Content-Type", ""),
            body,
        )
    finally:
        connection.close()


def compare(probe: Probe, answer: Answer) -> list[str]:
    """What is wrong with an answer."""
    wrong = []
    if answer.status != probe["status"]:
        wrong.append(f"status is {answer.status}, not {probe['status']}")
    if probe.get("text", "") not in answer.body:
        wrong.append(f"{probe['text']!r} is not in the page")
    location = urlsplit(answer.location)._replace(scheme="", netloc="").geturl()
    if "location" in probe and location != probe["location"]:
        wrong.append(f"it leads to {answer.location!r}, not to {probe['location']!r}")
    if not answer.ctype.startswith(probe.get("ctype", "")):
        wrong.append(f"it is {answer.ctype!r}, not {probe['ctype']!r}")
    return wrong


def check(url: str, host: str, probe: Probe) -> list[str]:
    """One probe; with ``find``, it is about the URL that this pattern finds in the page."""
    path = probe["path"]
    try:
        answer = ask(url, host, path)
        if "find" in probe:
            found = re.search(probe["find"], answer.body)
            if not found:
                return [f"{path}: nothing matches {probe['find']}"]
            path = found[1]
            answer = ask(url, host, path)
    except (OSError, HTTPException) as error:
        return [f"{path}: {error or type(error).__name__}"]
    return [f"{path}: {wrong}" for wrong in compare(probe, answer)]


def failures(url: str, host: str, recipe: Recipe) -> list[str]:
    """All that is wrong with an Act at a Venue, one line each; empty when it plays as promised."""
    probes = recipe["probes"] + recipe["static_probes"]
    return [wrong for probe in probes for wrong in check(url, host, probe)]


def main() -> int:
    recipes = load()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="such as http://127.0.0.1:8080")
    parser.add_argument("host", help="the Venue's name")
    parser.add_argument("act", choices=recipes)
    given = parser.parse_args()
    wrong = failures(given.url, given.host, recipes[given.act])
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
