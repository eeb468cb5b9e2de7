# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the results of tasks whose names begin with "Record" as JSON lines, for tests to read."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: notification
short_description: Keep results for tests
description: Appends a JSON line to the file named by SCENARIO_RECORD for each result of a task named "Record ...".
requirements: [callbacks_enabled]
"""

PREFIX = "Record "


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def _keep(self, result: Any, failed: bool) -> None:
        task = str(result.task_fields["name"])
        if not task.startswith(PREFIX):
            return
        line = {"host": result.host.get_name(), "task": task[len(PREFIX) :], "failed": failed, "result": result.result}
        with open(os.environ["SCENARIO_RECORD"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._keep(result, False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._keep(result, True)
