# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Printing what a module found as lines: a callback would show a long text as one escaped string."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from . import lifetimes


def run(action: ActionBase, task_vars: dict[str, Any], heading: str = "") -> dict[str, Any]:
    """Run the module, and print what it found, below a heading if there is one, where that is asked for."""
    options = dict(action._task.args)
    lifetimes.end_with_ansible()
    result: dict[str, Any] = action._execute_module(module_args=options, task_vars=task_vars)
    if boolean(options.get("show", False), strict=False):
        show(result, heading)
    return result


def host_of_several(task_vars: dict[str, Any]) -> str:
    """Return the host as a heading; empty if the play has only one host."""
    return f"{task_vars['inventory_hostname']}:" if len(task_vars.get("ansible_play_hosts_all") or []) > 1 else ""


KEPT = ("failed", "msg", "rc", "changed", "warnings", "deprecations")


def show(result: dict[str, Any], heading: str = "") -> None:
    """Print a result's text; a failed task's callback prints all that is left, so that is one sentence."""
    shown = [result[key] for key in ("stdout", "note") if result.get(key)]
    for number, text in enumerate(shown):
        Display().display(f"{heading}\n{text}" if heading and not number else text)
    if result.get("failed") and shown:
        for key in [key for key in result if key not in KEPT and not key.startswith("_")]:
            del result[key]
        result["msg"] = result["msg"].partition("\n")[0]
