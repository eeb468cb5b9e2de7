# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import signal
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: notification
short_description: Record what each task returned as JSON lines, and kill the controller
description:
  - Writes one line a task and host to the file that E(FAULTS_RECORD) names.
  - Kills the whole run when the task begins whose number E(FAULTS_KILL_AT_TASK) names.
requirements: []
"""


class CallbackModule(CallbackBase):
    """Record results, and kill the process group of this run if a test asks for it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._file = os.environ["FAULTS_RECORD"]
        self._left = int(os.environ.get("FAULTS_KILL_AT_TASK") or 0)

    def _write(self, result: Any, status: str) -> None:
        line = {"task": result._task.get_name(), "host": result._host.get_name(), "status": status}
        with open(self._file, "a", encoding="utf-8") as stream:
            stream.write(json.dumps({**line, "result": result._result}, default=str) + "\n")

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._left -= 1
        if self._left == 0:
            os.killpg(0, signal.SIGKILL)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write(result, "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._write(result, "skipped")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._write(result, "unreachable")
