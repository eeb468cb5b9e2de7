# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ..module_utils.host.errors import BackstageError, as_told
from ..module_utils.manifest import spec
from ..plugin_utils import printing, skeletons

_FILES = os.path.join(os.path.dirname(__file__), "..", "..", "playbooks", "files", "new")


class ActionModule(ActionBase):
    """Writes the files on the controller. No module runs on any host."""

    _supports_check_mode = True

    def run(self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(argument_spec=spec.skeleton())
        try:
            wanted = skeletons.Wanted.of(options["act"], options["path"], os.getcwd())
            result.update(skeletons.write(_FILES, wanted, bool(self._task.check_mode)))
        except (BackstageError, OSError) as error:
            result.update(failed=True, msg=str(as_told(error)))
        if options["show"]:
            printing.show(result)
        return result
