# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Optional

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.plugins.action import ActionBase

from ..module_utils.host import host_specs, role_files
from ..module_utils.host.errors import BackstageError

_NOTHING: dict[str, Any] = {"changed": False, "changes": [], "kept": [], "diff": []}


class ActionModule(ActionBase):
    """Send the files to the host, unless they were just found to be there."""

    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        done = _NOTHING if is_there(self._task.args) else self._execute_module(task_vars=task_vars)
        result.update(done)
        return result


def is_there(arguments: dict[str, Any]) -> bool:
    """Return whether the files were just found to be there. Errors in the arguments are left to the module."""
    found = checked(arguments)
    try:
        return not found.error_messages and role_files.Wanted.of(found.validated_parameters).is_there()
    except BackstageError:
        return False


def checked(arguments: dict[str, Any]) -> ValidationResult:
    """Return the arguments as the module will get them."""
    return ArgumentSpecValidator(host_specs.files()).validate(arguments)
