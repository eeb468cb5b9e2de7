# SPDX-License-Identifier: GPL-3.0-or-later
"""What was just found on the host is not sent there again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.backstage.django.plugins.action import backstage_files
from ansible_collections.backstage.django.plugins.module_utils.host import host_specs, records, role_files
from ansible_collections.backstage.django.plugins.modules import backstage_files as documented

SENT = {"changed": True, "changes": [{"path": "/etc/backstage", "what": "made"}]}


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, Any]:
    """A role's files that are on the host, as its task names them."""
    found: dict[str, Any] = {
        "directories": [{"path": f"{tmp_path}/etc"}],
        "files": [{"path": f"{tmp_path}/etc/stage.json", "data": {"managed_by": "backstage.django"}}],
        "record": f"{tmp_path}/etc/stage.files",
    }
    role_files.carry_out(role_files.Wanted.of(_checked(found)))
    return {**found, "recorded": records.confirmed(found["record"])}


def _checked(arguments: dict[str, Any]) -> dict[str, Any]:
    return backstage_files.checked(arguments).validated_parameters


def _sent(arguments: dict[str, Any]) -> dict[str, Any]:
    """What the module returns; it gets no library."""
    assert "library" not in arguments
    return dict(SENT)


def run(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]) -> dict[str, Any]:
    """The action, on a controller that can reach no host."""
    action = backstage_files.ActionModule.__new__(backstage_files.ActionModule)
    action._task = SimpleNamespace(args=arguments, async_val=0, check_mode=False)
    monkeypatch.setattr(backstage_files.ActionBase, "run", lambda *_args: {})
    monkeypatch.setattr(action, "_execute_module", lambda module_args, task_vars: _sent(module_args))
    return action.run(task_vars={})


def test_what_is_there(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]) -> None:
    answer = run(monkeypatch, arguments)
    assert answer == {"changed": False, "changes": [], "kept": [], "diff": []}
    assert set(answer) - {"changed"} == set(yaml.safe_load(documented.RETURN))


@pytest.mark.parametrize(
    "change",
    [
        {"recorded": ""},
        {"library": {"path": "/usr/local/lib/x", "modules": ["host/names.py"]}},
        {"files": []},
        {"state": "absent"},
        {"directories": [{"path": "/etc", "mode": "wrong"}]},
        {"stat": "absent"},
        {"files": [{}]},
    ],
)
def test_what_differs_is_the_modules(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], change: dict[str, Any]
) -> None:
    """So is what is wrong with the task."""
    assert run(monkeypatch, {**arguments, **change}) == SENT


def test_the_spec_has_every_documented_option() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert set(options) == set(host_specs.files())
