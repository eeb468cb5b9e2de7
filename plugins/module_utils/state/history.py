# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of an Act: what was built, seeded, switched and rolled back, one JSON line each, never rewritten."""

from __future__ import annotations

import getpass
import json
import os
import shlex
import time
from dataclasses import dataclass, field
from typing import Any, Optional

from ..host import files, names
from ..host.errors import BackstageError

Event = dict[str, Any]
MOVED = "migrated by hand"
"""The event before a management command that may undo migrations."""


def who() -> str:
    """Return the person who started this run, as far as the host can tell."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@dataclass
class History:
    """An Act's history file."""

    path: str
    events: list[Event] = field(default_factory=list)
    unwritten: Optional[Event] = None

    @classmethod
    def read(cls, path: str, live: Optional[str], since: float) -> History:
        """Read the history file.

        Args:
            path: the file.
            live: the Sess that plays.
            since: when `live` was switched to it, in seconds since the epoch. The symlink counts, because a run that
                was killed after the switch has not recorded it.
        """
        events = []
        for line in (files.read(path) or "").splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                continue  # a killed run wrote only a part of the last line
        history = cls(path, events)
        last: Event = next((line for line in reversed(events) if line.get("event") in ("played", "stopped")), {})
        if live and last.get("sess") != live:
            release = live.split(".")[0]
            history.unwritten = {"event": "played", "at": _time(since), "by": "", "release": release, "sess": live}
            events.append(history.unwritten)
        return history

    def add(self, event: str, **what: Any) -> None:
        """Append an event with its time and its author."""
        line = {"event": event, "at": _time(time.time()), "by": who(), **what}
        for missing in [self.unwritten] if self.unwritten else []:
            files.append_line(self.path, json.dumps(missing, sort_keys=True))
        self.unwritten = None
        files.append_line(self.path, json.dumps(line, sort_keys=True))
        self.events.append(line)

    def _all(self, event: str) -> list[Event]:
        return [line for line in self.events if line.get("event") == event]

    def migrated(self, release: str, database: str) -> bool:
        """Return whether this release migrated a database of this engine; empty for the project's own."""
        done = self.migrations(database, self.events[self.moved() + 1 :])
        return release in [line.get("release") for line in done]

    def migrations(self, database: str, events: Optional[list[Event]] = None) -> list[Event]:
        """Return what runs migrated in a database of this engine, the oldest first; of all events, or of these."""
        found = self.events if events is None else events
        return [line for line in found if line.get("event") == "migrated" and line.get("database", "") == database]

    def moved(self) -> int:
        """Return the index of the last event where a person chose what is migrated; -1 if there is none.

        After it no run knows what is applied.
        """
        return max((number for number, line in enumerate(self.events) if line.get("event") == MOVED), default=-1)

    def filled(self) -> list[str]:
        """Return the writable places and uploads that already got their first content."""
        return [str(line["place"]) for line in self._all("filled")]

    def seed_state(self, name: str) -> str:
        """Return the last event of this seed or fixture; empty if there is none."""
        states = [str(line["event"]) for line in self.events if line.get("seed") == name]
        return states[-1] if states else ""

    def seeded(self, name: str) -> bool:
        """Return whether this seed or fixture finished, or was declared done.

        Raises:
            BackstageError: it was started, and whether it finished is not known.
        """
        state = self.seed_state(name)
        if state == "seed started":
            answer = shlex.quote(json.dumps({"backstage_seed": {name: "done"}}, ensure_ascii=False))
            raise BackstageError(
                f"'{name}' was started and its end is not known: look at the data, then answer with -e {answer},"
                ' or "again" instead of "done"',
                step="seed",
            )
        return state == "seed done"

    def played(self) -> list[str]:
        """Return the releases that played, each once, newest first."""
        seen: list[str] = []
        for line in reversed(self._all("played")):
            if line["release"] not in seen:
                seen.append(line["release"])
        return seen

    def since(self, sess: str) -> Optional[str]:
        """Return when this Sess went live."""
        for line in reversed(self._all("played")):
            if line.get("sess") == sess:
                return str(line["at"])
        return None

    def last_number(self, release: str) -> int:
        """Return the highest number that a Sess of this release had."""
        numbers = [0]
        for line in self.events:
            match = names.SESS.match(str(line.get("sess", "")))
            if match and match.group("release") == release:
                numbers.append(int(match.group("number")))
        return max(numbers)
