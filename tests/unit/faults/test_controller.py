# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scenarios read of a run of ansible-playbook."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

from faults.controller import Run


def result(status: str, **returned: Any) -> dict[str, Any]:
    return {"task": "a task", "host": "h1", "status": status, "result": returned}


def test_the_last_result_is_not_one_of_a_skipped_task() -> None:
    """The playbooks end with a task for DNS, which is skipped in a Production without it."""
    run = Run(0, "", [result("ok", plan=["play"]), result("skipped", skipped=True)])
    assert run.last == {"plan": ["play"]}
    assert Run(0, "", [result("skipped", skipped=True)]).last == {}


def test_the_message_is_that_of_the_task_that_failed() -> None:
    run = Run(2, "", [result("ok"), result("failed", msg="act a: why\n--- end of the log ---\nlines")])
    assert (run.message, run.log) == ("act a: why", "lines")
