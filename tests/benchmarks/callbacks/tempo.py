# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: tempo
type: notification
short_description: When each task began and ended, and what changed
description:
  - Writes one JSON line a task and one for the recap to the file that E(BENCH_TEMPO) names.
requirements: []
"""


class CallbackModule(CallbackBase):
    """Tasks with their times on the controller's clock; at the end the recap."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "tempo"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._file = os.environ["BENCH_TEMPO"]
        self._began: dict[str, float] = {}

    def _write(self, line: dict[str, Any]) -> None:
        with open(self._file, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._began[task._uuid] = time.time()

    def _ended(self, result: Any, ignore_errors: bool = False) -> None:
        task = result._task
        began = self._began.get(task._uuid, 0.0)
        self._write({"task": task.get_name(), "action": task.action, "began": began, "ended": time.time()})

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = _ended

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write({"recap": {host: stats.summarize(host) for host in sorted(stats.processed)}})
