# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ..module_utils.host.errors import Refusal
from ..plugin_utils import controller


class ActionModule(ActionBase):
    """Resolves the Act's source before the host is touched."""

    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            result.update(controller.run_act(self, dict(self._task.args), task_vars or {}))
        except Refusal as refusal:
            result.update(failed=True, msg=str(refusal))
        return result
