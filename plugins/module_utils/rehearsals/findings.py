# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of a rehearsal, and the module's result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ..host.errors import BackstageError
from .draft import Draft, Item
from .stage_choice import Choice


@dataclass
class Findings:
    """The findings of a rehearsal.

    Args:
        draft: the Act, with the lines that it needs.
        choice: its Sess.
        plays: whether it passed the gate.
        error: why it does not play.
        known: the release's record, such as the settings module.
        tried: lines that did not help and were removed.
        missing: what somebody has to do or give, one sentence each.
        look: migrations and warnings; empty if it did not play.
        applied: migrations that were applied to the rehearsal's own database.
        steps: what a deploy would do, if the Act is in the manifest.
        warnings: a deploy's warnings, such as that the release is held.
    """

    draft: Draft
    choice: Choice = field(default_factory=Choice)
    plays: bool = False
    error: Optional[BackstageError] = None
    known: Item = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    look: Item = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    steps: list[Item] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def as_result(found: Findings, before: Item, exact: bool) -> Item:
    """Return the result of the module.

    Args:
        found: the findings.
        before: the Act as it was given.
        exact: whether it is an Act of the manifest.
    """
    draft = found.draft
    act = draft.written()
    lacking = [key for key in act if act.get(key) != before.get(key) and key in {*draft.because, "files", "settings"}]
    known = {key: found.known[key] for key in ("settings", "application", "manage") if key in found.known}
    return {
        "plays": found.plays,
        "act": act,
        "lacking": lacking if exact else [],
        "because": draft.because,
        "sess": {"act": draft.name, **found.choice.sess} if found.choice.sess else {},
        "sess_because": [*found.choice.because],
        "notes": [*found.choice.notes],
        "found": {**known, "requirements": draft.survey.packages_are_named_in(draft.subdir or ".")},
        "tried": found.tried,
        "missing": found.missing,
        "error": found.error.message if found.error else "",
        "step": found.error.step if found.error else "",
        "log": found.error.log if found.error else "",
        "applied": found.applied,
        "pending": found.look.get("pending", []) if exact else [],
        "unwritten": found.look.get("unwritten", []),
        "warnings_of_django": found.look.get("warnings", []),
        "plan": found.steps,
    }


def verdict(found: Findings, result: Item) -> str:
    """Return why the module fails, in one sentence."""
    if found.error:
        return str(found.error)
    lines = ", ".join(result["lacking"])
    return (
        f"act {found.draft.name}: it plays with lines that the manifest lacks ({lines}): {'; '.join(_reasons(found))}"
    )


def _reasons(found: Findings) -> list[str]:
    said = [reason for reasons in found.draft.because.values() for reason in reasons]
    return list(dict.fromkeys([*said, *(because for _line, because in found.draft.overrides.values())]))
