# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found is printed as it is, and a failed task says one sentence besides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.plugin_utils import printing

SAID = 'one "quoted"\ntwo'


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(printing, "Display", lambda: SimpleNamespace(display=texts.append))
    return texts


def run(result: dict[str, Any], heading: str = "", **options: Any) -> dict[str, Any]:
    action: Any = SimpleNamespace(
        _task=SimpleNamespace(args=options), _execute_module=lambda module_args, task_vars: dict(result)
    )
    return printing.run(action, {}, heading)


@pytest.mark.parametrize(("show", "texts"), [(True, [SAID]), ("true", [SAID]), (False, []), ("no", [])])
def test_only_where_it_is_asked_for(shown: list[str], show: Any, texts: list[str]) -> None:
    result = {"changed": True, "stdout": SAID, "stdout_lines": SAID.splitlines()}
    assert run(result, show=show) == result
    assert shown == texts


def test_a_failed_task_says_one_sentence(shown: list[str]) -> None:
    result = {"failed": True, "msg": "it failed\n--- end of the log ---\nmuch", "rc": 3, "stdout": SAID, "log": "much"}
    assert run(result, show=True) == {"failed": True, "msg": "it failed", "rc": 3}
    assert run(result) == result
    assert shown == [SAID]


def test_what_failed_before_it_printed_anything_says_all(shown: list[str]) -> None:
    result = {"failed": True, "msg": "no such host\nat all", "stdout": "", "invocation": {}}
    assert run(result, show=True) == result
    assert shown == []


def test_a_note_is_printed_too(shown: list[str]) -> None:
    run({"changed": True, "stdout": "", "note": "it would be run"}, show=True)
    assert shown == ["it would be run"]


def test_a_heading_stands_above_what_was_found(shown: list[str]) -> None:
    """In one piece: hosts run side by side."""
    result = {"stdout": SAID, "note": "and more"}
    assert run(result, "h1:", show=True) == result
    run({"failed": True, "msg": "no such host"}, "h1:", show=True)
    assert shown == [f"h1:\n{SAID}", "and more"]


@pytest.mark.parametrize(("hosts", "heading"), [(["h1"], ""), (["h1", "h2"], "h2:"), (None, "")])
def test_a_host_is_named_where_there_are_several(hosts: Any, heading: str) -> None:
    variables = {"inventory_hostname": "h2", "ansible_play_hosts_all": hosts}
    assert printing.host_of_several(variables) == heading
