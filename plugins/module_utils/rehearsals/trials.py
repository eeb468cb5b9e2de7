# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trials of cures. If the cause is still there after one, it is undone and the next one is tried."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..host import run_log
from .case import Case, Cure
from .draft import Draft, Item


@dataclass
class _Trial:
    """The trials for one cause.

    Args:
        left: the cures that may still help; the first one is being tried.
        written: the states of the draft before and after each change.
    """

    left: list[Cure]
    written: list[tuple[Item, Item]] = field(default_factory=list)


@dataclass
class Trials:
    """All cures of one rehearsal.

    Args:
        draft: the Act that they change.
        notes: what was tried and did not help.
    """

    draft: Draft
    notes: list[str] = field(default_factory=list)
    _known: dict[tuple[str, tuple[str, ...]], _Trial] = field(default_factory=dict)

    def cure(self, name: str, case: Case, cures: Sequence[Cure]) -> bool:
        """Add a line for a cause. Return whether there was one that was not tried before.

        Args:
            name: the name of the cause; with the same words it is the same one.
            case: its context.
            cures: the cures, in this order.
        """
        trial = self._known.setdefault((name, tuple(case.words)), _Trial([*cures]))
        while trial.left:
            before, laid = self.draft.state(), (self.draft.laid(), list(self.draft.asked))
            trial.left[0](case)
            if (self.draft.laid(), list(self.draft.asked)) != laid:
                trial.written.append((before, self.draft.state()))
                said = "; ".join(_lines(*trial.written[-1]))
                run_log.note(self.draft.name, f"line written: {said} (because {case.because}); trying again")
                return True
            self._take_back(trial)
            trial.left.pop(0)
        return False

    def _take_back(self, trial: _Trial) -> None:
        for before, after in reversed(trial.written):
            self.draft.take_back(before, after)
        if trial.written:
            (before, _after), (_before, after) = trial.written[0], trial.written[-1]
            self.notes.append(f"{'; '.join(_lines(before, after))}: it did not help, and was removed")
            run_log.note(self.draft.name, self.notes[-1])
        trial.written.clear()


def _lines(before: Item, after: Item) -> list[str]:
    """Return the lines that differ between two states, shortened and without values of secrets."""
    settings = [line for key, (line, _why) in after["overrides"].items() if key not in before["overrides"]]
    return [*_keys(before["item"], after["item"]), *(line.partition("\n")[0] for line in settings)]


def _keys(before: Item, after: Item) -> list[str]:
    return [f"{key}: {_short(key, before.get(key), value)}" for key, value in after.items() if before.get(key) != value]


def _short(key: str, before: Any, after: Any) -> str:
    if key in ("secrets", "files"):
        return ", ".join(after if key == "secrets" else [file["path"] for file in after])
    if isinstance(after, dict):
        after = {name: value for name, value in after.items() if (before or {}).get(name) != value}
    return after if isinstance(after, str) else json.dumps(after)
