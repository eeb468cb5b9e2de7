# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ..module_utils.host.errors import Refusal
from ..module_utils.manifest import parse as manifest
from ..module_utils.manifest.problems import Problems
from ..plugin_utils import pointing

MANIFEST = ("acts", "sesses", "venues", "gigs", "act_defaults", "sess_defaults")
"""Options that this half reads, and no host needs."""


class ActionModule(ActionBase):
    """Finds out where the names of a manifest point, and has the host write it."""

    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            options = with_names(dict(self._task.args), task_vars or {})
        except Refusal as refusal:
            return {**result, "failed": True, "msg": str(refusal)}
        result.update(self._execute_module(module_args=options, task_vars=task_vars))
        return result


def with_names(options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """The options with the names of the manifest in place of it.

    Raises:
        Refusal: the manifest is wrong, or a host does not say where visitors reach it.
    """
    sent = {key: value for key, value in options.items() if key not in MANIFEST}
    if not options.get("venues") or options.get("state") == "absent":
        return sent
    problems = Problems()
    wanted = manifest.read({**options, "checked": False}, problems)
    found = pointing.names(wanted, task_vars.get("groups") or {}, task_vars.get("hostvars") or {}, problems)
    problems.refuse()
    return {**sent, "names": [*(options.get("names") or []), *found]}
