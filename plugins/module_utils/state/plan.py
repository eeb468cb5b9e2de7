# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The difference between what is and what should be, as a list that check mode, diff mode and apply share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Callable, Optional

from ..host import files

Entry = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One change: what it does to which noun.

    Args:
        noun: act, sess, venue, gig or production.
        name: which one.
        verb: what is done to it.
        before: what is there now, without secrets; None where nothing is.
        after: what will be there; None where nothing will be.
    """

    noun: str
    name: str
    verb: str
    before: Any = None
    after: Any = None

    def entry(self) -> Entry:
        return asdict(self)

    def diff(self) -> dict[str, str]:
        """This step in Ansible's diff form."""
        title = f"{self.noun} {self.name} ({self.verb})"
        return {
            "before_header": title,
            "after_header": title,
            "before": _text(self.before),
            "after": _text(self.after),
        }


class Phase(IntEnum):
    """When a change is made; within a phase in the manifest's order."""

    CLEAR = 0
    BUILD = 1
    MIGRATE = 2
    PLAY = 3
    RECORD = 4
    BOOK = 5
    LEAVE = 6
    SWITCHED = 7
    STOP = 8
    REMOVE = 9
    TIDY = 10


@dataclass(frozen=True)
class Change:
    """A step, when it is made, whose failure it shares, and the call that makes it.

    Bookings have no call of their own: nginx is told of all of them at once.
    """

    step: Step
    phase: Phase
    act: str = ""
    make: Optional[Callable[[], None]] = None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value + "\n" if isinstance(value, str) else files.to_json(value)


def differing(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The keys whose values differ, with both values."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {
        "before": {key: before[key] for key in keys if key in before},
        "after": {key: after[key] for key in keys if key in after},
    }
