# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hooks: the manifest's management commands before and after the migrations of a release, and after a switch."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial

from ..host.errors import BackstageError
from ..manifest.nouns import Act
from ..state.plan import Change, Phase, Step

BEFORE_MIGRATE, AFTER_MIGRATE, AFTER_SWITCH = "before_migrate", "after_migrate", "after_switch"


def after_switch(act: Act, production: str) -> list[Change]:
    """Return the hooks after a switch. They run as the player, with the variables of the new Sess."""
    return [
        Change(step(act.name, AFTER_SWITCH, line), Phase.SWITCHED, act.name, partial(_run, production, act.name, line))
        for line in act.hooks.after_switch
    ]


def step(act: str, when: str, line: str) -> Step:
    return Step("act", act, "hook", None, f"{when}: {line}")


def _run(production: str, act: str, line: str) -> None:
    from . import commands, steps

    command = commands.prepare(production, act, shlex.split(line))
    ran = commands.run(command, act, steps.LONGEST)
    if ran.error:
        from ..diagnosis import lookup

        message = f"{ran.error.message}; the new Sess plays, and no run repeats the hook"
        raise BackstageError(message, step=AFTER_SWITCH, log=lookup.tail(ran.output))


def failure(when: str, line: str, error: BackstageError, applied: Sequence[str] = ()) -> BackstageError:
    """Return the failure of a hook before the switch."""
    said = f"'{line}' failed: {error.message}"
    if applied:
        said += f" (applied before it: {', '.join(applied)})"
    return BackstageError(said, step=when, log=error.log)
