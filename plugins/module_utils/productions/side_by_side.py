# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build and migrate the Acts of a run side by side, as many at once as the host has processors, but at most four.

Each Act has its own users, directories and database, so what is shared is done before: users, and databases are made
one after the other. Shared environments have their own lock.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import Callable

from ..acts import manager as acts
from ..host import children, run_log
from ..host.errors import BackstageError, as_told
from ..state.plan import Change, Phase
from ..state.read import HostState, refresh
from .playbill import Done

PHASES = (Phase.BUILD, Phase.MIGRATE)
MOST = 4
ALONE = ("create database", "close database")
"""Steps that change what all databases of the host have in common."""


@dataclass(frozen=True)
class Run:
    """What this needs of a run.

    Args:
        state: the Production on disk; it is read again.
        warnings: takes those of the Acts.
        done: takes what was done for them.
        make: applies changes one by one, and notes which Acts failed.
    """

    state: HostState
    warnings: list[str]
    done: Done
    make: Callable[[list[Change], dict[str, BackstageError]], None]


def at_once() -> int:
    """Return how many Acts are built at once: as many as processors that this process may use."""
    return min(len(os.sched_getaffinity(0)), MOST)


def make(run: Run, changes: list[Change], failed: dict[str, BackstageError]) -> None:
    """Apply the changes of these phases, each Act's in their order. The failure of one Act is its own.

    Args:
        run: the run.
        changes: the changes.
        failed: takes the Acts that failed.
    """
    by_act: dict[str, list[Change]] = {}
    for change in changes:
        by_act.setdefault(change.act, []).append(change)
    if len(by_act) < 2 or at_once() < 2:
        run.make(changes, failed)
        return
    run.make([change for change in changes if change.step.verb in ALONE], failed)
    jobs = {}
    for name, own in by_act.items():
        rest = [change for change in own if change.step.verb not in ALONE]
        if rest and name not in failed and _prepare(run, name, failed):
            jobs[name] = partial(_make_one, run, name, rest)
    run_log.end()
    for name, answer in children.run(jobs, at_once()).items():
        run.warnings.extend(answer.get("warnings", []))
        run.done.seconds.update(answer.get("seconds", {}))
        run.done.built.update(answer.get("built", {}))
        if children.DIED in answer:
            said = f"the process that built it ended with status {answer[children.DIED]}"
            failed[name] = BackstageError(said, f"act {name}", "build")
        elif answer["error"]:
            failed[name] = BackstageError(*answer["error"])
        refresh(run.state.act(name))


def _prepare(run: Run, name: str, failed: dict[str, BackstageError]) -> bool:
    """Make the users and directories of an Act, and return whether that worked."""
    try:
        acts.prepare(run.state.act(name).paths)
    except (BackstageError, OSError) as error:
        told = as_told(error)
        failed[name] = BackstageError(told.message, f"act {name}", told.step or "build", told.log)
    return name not in failed


def _make_one(run: Run, name: str, changes: list[Change]) -> children.Answer:
    """Apply the changes of one Act, in a child process."""
    failed: dict[str, BackstageError] = {}
    run.warnings.clear()  # those of this Act are added
    run.done.seconds, run.done.built = {name: run.done.seconds.get(name, 0)}, {}
    run.make(changes, failed)
    error = failed.get(name)
    told = [error.message, error.subject, error.step, error.log] if error else None
    return {"error": told, "warnings": run.warnings, "seconds": run.done.seconds, "built": run.done.built}
