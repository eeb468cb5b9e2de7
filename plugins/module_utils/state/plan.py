# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The difference between the actual and the wanted state, as a list that check mode, diff mode and apply share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Callable, Optional

from ..host import files

Entry = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One change of one noun.

    Args:
        noun: act, sess, venue, gig or production.
        name: which one.
        verb: what is done to it.
        before: the state before it, without secrets; None if there is none.
        after: the state after it, without secrets; None if there is none.
    """

    noun: str
    name: str
    verb: str
    before: Any = None
    after: Any = None

    def entry(self) -> Entry:
        return asdict(self)

    def diff(self) -> dict[str, str]:
        """Return this step in Ansible's diff format."""
        title = f"{self.noun} {self.name} ({self.verb})"
        return {
            "before_header": title,
            "after_header": title,
            "before": _text(self.before),
            "after": _text(self.after),
        }


class Phase(IntEnum):
    """The order in which changes are made. Within a phase, the manifest's order applies."""

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
    """A step, its phase, the noun that fails with it, and the function that applies it.

    Bookings have no function, because nginx gets all of them at once.
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
    """Return the keys whose values differ, with both values."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {
        "before": {key: before[key] for key in keys if key in before},
        "after": {key: after[key] for key in keys if key in after},
    }
