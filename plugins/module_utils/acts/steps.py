# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run Django's steps in the Act's own Python, as its builder or its player."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from typing import Any, Optional

from ..diagnosis import lookup
from ..host import pipes, process
from ..host.errors import BackstageError
from . import act_dumps, act_findings, act_migrations, act_program, act_steps, step_reports

_FUTURE = "from __future__ import annotations\n"
# in the combined program, "from __future__" imports have to come first, and once
_PROGRAM = (act_program, act_findings, act_migrations, act_dumps, act_steps)
_SOURCES = [inspect.getsource(module).replace(_FUTURE, "") for module in _PROGRAM]
SCRIPT = "\n".join([_FUTURE, *_SOURCES])
LONGEST = 3600
"""The maximum number of seconds for all steps of one process."""


def run(
    mode: str,
    options: dict[str, Any],
    python: str,
    user: process.User,
    env: dict[str, str],
    cwd: str,
    into: Optional[pipes.Tail] = None,
    lent: Sequence[int] = (),
) -> dict[str, Any]:
    """Run one mode of act_steps and return its findings.

    Args:
        mode: the mode.
        options: its options.
        python: the Act's interpreter.
        user: who runs it.
        env: its variables.
        cwd: where it runs.
        into: takes the dump of a database.
        lent: the descriptors that it gets.

    Raises:
        BackstageError: the step failed. It contains the cause, the cure if it is known, and the output.
    """
    argv = [python, "-", mode, json.dumps(options)]
    result = process.run(argv, user, env, cwd, SCRIPT, step_reports.MOST, LONGEST, into=into, lent=lent)
    log = lookup.tail(result.err)
    if result.late:
        raise BackstageError(
            f"it has not ended within {LONGEST} s, and was killed",
            step=step_reports.begun(result.out),
            log=log,
        )
    if result.left_out:
        raise BackstageError(
            f"the Act's Python wrote a report that is longer than {step_reports.MOST:,} bytes", step=mode, log=log
        )
    try:
        found = step_reports.read(mode, result.out)
    except BackstageError as error:
        silent = f"the Act's Python ended with status {result.code} and no answer"
        cause = error.message if step_reports.is_answered(result.out) else silent
        raise BackstageError(cause, step=error.step, log=log) from None
    if "failed" in found:
        whole = f"{lookup.chain(result.err)}\n{log}"  # what Django raises last may only follow from the cause
        cause = lookup.explain(found["failed"], _said(found, result.err), whole, found.get("at", ""))
        if found.get("applied"):
            cause += f" (applied before it: {', '.join(found['applied'])})"
        if found.get("half"):
            cause += (
                f"; {found['half']} is not atomic: what it did before it failed may stand, so look at its tables before"
                " you repeat it"
            )
        raise BackstageError(cause, step=found["failed"], log=log)
    found["output"] = result.err
    return found


def _said(found: dict[str, Any], output: str) -> str:
    """Return the most useful line: the text of an exception, or what a command printed before it gave up."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if found["error"] == "SystemCheckError":
        return next((line for line in lines if re.search(r"\([\w.]+\.[EC]\d+\)", line)), found["message"])
    if found["error"] == "SystemExit":
        printed = lines[: next((n for n, line in enumerate(lines) if line.startswith("Traceback")), len(lines))]
        checked = [line for line in printed if re.search(r"\([\w.]+\.[EC]\d+\)", line)]
        telling = checked + [line for line in printed if re.search(r"Error|Unknown command", line)]
        spoken = [found["message"]] if not found["message"].isdigit() else []
        return (telling + spoken + printed[-1:] + [f"it exited with status {found['message']}"])[0]
    return f"{found['error']}: {found['message']}" if found["error"] else found["message"]
