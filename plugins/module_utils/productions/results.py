# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn an outcome into the result of a module."""

from __future__ import annotations

import os
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ..host import caller, run_log
from ..host.errors import BackstageError, as_told
from .manager import check, reconcile
from .order import Order, Outcome

LARGE = (
    "acts", "sesses", "venues", "gigs", "act_defaults", "sess_defaults", "venue_defaults", "acme", "versions",
    "resolved", "elsewhere", "shared", "following",
)  # fmt: skip
"""Options that are not returned. The caller knows them, and Ansible walks through a result several times."""


def as_result(outcome: Outcome) -> dict[str, Any]:
    return {
        "changed": bool(outcome.steps) and not outcome.missing,
        "plan": [step.entry() for step in outcome.steps],
        "diff": _diff(outcome),
        "playing": outcome.playing,
        "missing": outcome.missing,
        "unlisted": outcome.unlisted,
        "playbill": outcome.playbill,
        "asking": outcome.asking,
    }


def _diff(outcome: Outcome) -> list[dict[str, str]]:
    """Return the plan in words, in Ansible's diff form."""
    if not outcome.steps:
        return []
    from ..state import words

    return words.diff(outcome.steps)


def _invocation(module: AnsibleModule) -> dict[str, Any]:
    """Return how the module was called, for -vvv."""
    return {"module_args": {key: value for key, value in module.params.items() if key not in LARGE}}


def carry_out(module: AnsibleModule, order: Callable[[], Order]) -> None:
    """Carry out an order, or only plan it in check mode, and end the module."""
    os.umask(0o022)  # root's own umask may be stricter, and other users have to read what is made here
    if not module.check_mode:
        caller.watch()
    try:
        # check mode has no progress
        with run_log.written("" if module.check_mode else module.params.get("run", "")):
            outcome = check(order()) if module.check_mode else reconcile(order())
    except (BackstageError, OSError, caller.Abandoned) as error:
        told = as_told(error) if isinstance(error, OSError) else error
        module.fail_json(msg=str(told), invocation=_invocation(module))
    for warning in outcome.warnings:
        module.warn(warning)
    if outcome.unlisted:
        left = ", ".join(outcome.unlisted)
        module.warn(f"not in the manifest any more: {left}; take it down with -e backstage_prune=true")
    result = {**as_result(outcome), "invocation": _invocation(module)}
    if module.check_mode:
        result["changed"] = bool(outcome.steps)
    elif outcome.missing:
        module.exit_json(**result)  # nothing was done yet: the second call has the sources, and says what is wrong
    if outcome.errors:
        # every Act's own sentence; what the others did stands in the history
        module.fail_json(
            msg="\n".join(str(error) for error in outcome.errors),
            playing=outcome.playing,
            playbill=outcome.playbill,
            invocation=result["invocation"],
        )
    module.exit_json(**result)
