# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run found out once, for forks of the controller that ask at the same time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.plugin_utils import run_cache


def test_asked_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def find() -> dict[str, int]:
        asked.append(1)
        return {"a": len(asked)}

    assert run_cache.once("sources-1", find) == run_cache.once("sources-1", find) == {"a": 1}
    assert run_cache.once("sources-2", find) == {"a": 2}
    assert {path.name for path in (tmp_path / "run").glob("backstage-*") if path.suffix != ".lock"} == {
        "backstage-sources-1",
        "backstage-sources-2",
    }


def test_forks_wait_for_the_first(tmp_path: Path) -> None:
    def find() -> int:
        time.sleep(0.2)
        with (tmp_path / "asked").open("a") as file:
            file.write("x")
        return 1

    children = []
    for _number in range(4):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if run_cache.once("sources", find) == 1 else 1)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert (tmp_path / "asked").read_text() == "x"


def test_a_failure_is_not_remembered() -> None:
    with pytest.raises(ZeroDivisionError):
        run_cache.once("sources", lambda: 1 // 0)
    assert run_cache.once("sources", lambda: 1) == 1


def test_half_an_answer_is_none(tmp_path: Path) -> None:
    (tmp_path / "run" / "backstage-sources.new").write_text('{"a"')  # a fork that was killed
    assert run_cache.once("sources", lambda: 1) == 1


def test_it_goes_with_the_run(tmp_path: Path) -> None:
    assert run_cache.directory() == str(tmp_path / "run")
