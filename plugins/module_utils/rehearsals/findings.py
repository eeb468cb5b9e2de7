# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rehearsal found, and what its module returns of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from ..host.errors import BackstageError
from .draft import Draft, Item


@dataclass
class Findings:
    """What a rehearsal found.

    Args:
        draft: the Act, with the lines that it needs.
        plays: whether the gate let it through.
        error: why it does not play.
        known: what the release's own record says, such as the settings module.
        tried: lines that did not help, and were taken back.
        missing: what somebody has to do or give, one sentence each.
        look: migrations and warnings; empty where it did not play.
        applied: migrations that were applied to a database of the rehearsal's own.
        steps: what a deploy would do, where the manifest has the Act.
        warnings: what it would say of it, such as that the release is held.
    """

    draft: Draft
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
    """What the module returns.

    Args:
        found: what was found.
        before: the Act as it was given.
        exact: whether that is the manifest's own.
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
    """Why the module fails, in one sentence."""
    if found.error:
        return str(found.error)
    lines = ", ".join(result["lacking"])
    return (
        f"act {found.draft.name}: it plays with lines that the manifest lacks ({lines}): {'; '.join(_reasons(found))}"
    )


def _reasons(found: Findings) -> list[str]:
    said = [reason for reasons in found.draft.because.values() for reason in reasons]
    return list(dict.fromkeys([*said, *(because for _line, because in found.draft.overrides.values())]))
