# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callboard: one page of HTML with the status of a Production on all its hosts, which loads nothing from elsewhere.

What is shown comes from backstage_info of each host. Acts may have written some of it, so all of it is escaped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Callable

import jinja2

from ..module_utils.productions import sizes

Item = dict[str, Any]
TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
WELL, WARNING, BAD = "well", "warning", "bad"
STATES = {"playing": WELL, "asleep": WELL, "stopped": WARNING, "not playing": WARNING}
"""How the state of an Act is to be judged; every other one is bad."""
SOON = 21
"""The number of days before its end from which a certificate is a warning."""
LAST = 10
"""The number of events of an Act's history that are shown."""


@dataclass(frozen=True)
class Card:
    """What the page has of one Act on one host: the row of the table, and the facts below it."""

    host: str
    name: str
    status: Item
    answers: list[Item]
    act: Item
    sess: Item

    @property
    def anchor(self) -> str:
        return f"{self.host}.{self.name}"

    @property
    def judged(self) -> str:
        found = STATES.get(self.status["state"], BAD)
        if found == WELL and any(is_wrong(answer) for answer in self.answers):
            return BAD
        if found == WELL and (self.status["pending"] or self.status["held"] or self.status["errors"]):
            return WARNING
        return found

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to say of it, with titles; what is empty is left out."""
        told = [(title, find(self)) for title, find in FACTS]
        return [(title, text) for title, text in told if text]

    @property
    def events(self) -> list[tuple[str, str]]:
        """Return the last events of its history, the latest first, each with its time."""
        return [(event["at"], _event(event)) for event in reversed(self.act.get("history", [])[-LAST:])]


def _event(event: Item) -> str:
    words = [event["event"], *(event[key] for key in ("release", "seed", "place") if event.get(key))]
    told = f" by {event['by']}" if event.get("by") else ""
    return " ".join(words) + told + (f" ({event['because']})" if event.get("because") else "")


def is_wrong(answer: Mapping[str, Any]) -> bool:
    """Return whether a Venue answers what it should not. A closed one answers 503."""
    fine = answer["state"] == "closed" or 0 < answer["status"] < 500
    return bool(answer["error"]) or not fine


def _processes(card: Card) -> str:
    wanted = card.sess.get("processes")
    threads = card.sess.get("threads")
    return f"{wanted} workers with {threads} threads each" if wanted else ""


def _pending(card: Card) -> str:
    if card.status["pending"] is None:
        return "only the database can tell" if card.status["sess"] else ""
    return ", ".join(card.status["pending"])


def _error(card: Card) -> str:
    error = card.status["last_error"]
    return f"{error['text']}" + (f" ({error['at']})" if error["at"] else "") if error else ""


def _static(card: Card) -> str:
    one = card.status["set"]
    return f"{one['static_files']} files, {sizes.text(one['static_bytes'])}" if one else ""


def _of_set(key: str) -> Callable[[Card], str]:
    def find(card: Card) -> str:
        found = (card.status["set"] or {}).get(key)
        return ", ".join(found) if isinstance(found, list) else found or ""

    return find


def _workers(card: Card) -> str:
    told = []
    for name, worker in card.sess.get("workers", {}).items():
        restarts = f", ended by itself {worker['restarts']} times" if worker["restarts"] else ""
        told.append(f"{name}: {worker['state']}{restarts}")
    return "; ".join(told)


def _timers(card: Card) -> str:
    told = []
    for name, timer in card.act.get("timers", {}).items():
        last = f"ended with status {timer['last_status']}, {timer['last_end']}" if timer["last_end"] else "never ended"
        told.append(f"{name}, {timer['when']}: {'running' if timer['running'] else last}")
    return "; ".join(told)


def _limits(card: Card) -> str:
    found = card.sess.get("limits", {})
    return "; ".join(f"{key} {one['asked']} ({one['held_by']})" for key, one in found.items())


def _stopped(card: Card) -> str:
    mark = card.status["stopped"]
    return f"at {mark['at']} by {mark['by']}" if mark else ""


FACTS: tuple[tuple[str, Callable[[Card], str]], ...] = (
    ("Sess", lambda card: card.status["sess"] or ""),
    ("Sizes", _processes),
    ("Stopped", _stopped),
    ("Held release", lambda card: card.status["held"] or ""),
    ("Pending migrations", _pending),
    ("Last error", _error),
    ("Workers", _workers),
    ("Timers", _timers),
    ("Limits", _limits),
    ("Installed apps", _of_set("apps")),
    ("Packages", _of_set("packages")),
    ("Requirements not pinned since", _of_set("unpinned_since")),
    ("Static files", _static),
)
"""What the page tells of each Act below the table."""


def cards(hosts: Mapping[str, Item]) -> list[Card]:
    """Return the Acts of all hosts, those first that somebody should look at."""
    found = []
    for host, info in hosts.items():
        for name, status in info.get("status", {}).items():
            answers = [answer for answer in info["answers"] if answer["act"] == name]
            found.append(Card(host, name, status, answers, info["acts"].get(name, {}), info["sesses"].get(name, {})))
    order = (BAD, WARNING, WELL)
    return sorted(found, key=lambda card: (order.index(card.judged), card.name, card.host))


def notes(hosts: Mapping[str, Item]) -> list[Item]:
    """Return what somebody should look at: the remarks of each host, its drift, and certificates that end soon."""
    found = []
    for host, info in hosts.items():
        lines = [*info.get("remarks", []), *(one["line"] for one in info.get("drift", []))]
        for venue, certificate in info.get("certificates", {}).items():
            if certificate["days"] is not None and certificate["days"] < SOON:
                lines.append(f"certificate of {venue}: ends {certificate['ends']}, {certificate['days']} days are left")
        lines += [f"{answer['url']}: {answer['error'] or answer['status']}" for answer in _wrong(info)]
        found += [{"host": host, "text": line} for line in lines]
    return found


def _wrong(info: Item) -> Iterable[Item]:
    return [answer for answer in info.get("answers", []) if is_wrong(answer)]


def page(production: str, hosts: Mapping[str, Item], at: str) -> str:
    """Return the whole page.

    Args:
        production: the Production.
        hosts: host -> what backstage_info returned there.
        at: the time of the status.
    """
    plain: dict[str, Item] = json.loads(json.dumps(dict(hosts), default=str))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = cards(plain)
    return environment.get_template("callboard.html.j2").render(
        production=production,
        at=at,
        cards=shown,
        notes=notes(plain),
        several=len(plain) > 1,
        certificates={name: one for info in plain.values() for name, one in info.get("certificates", {}).items()},
        counts={kind: len([card for card in shown if card.judged == kind]) for kind in (WELL, WARNING, BAD)},
        size=sizes.text,
        is_wrong=is_wrong,
        soon=SOON,
    )
