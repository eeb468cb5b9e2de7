# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions in child processes: at once, their answers, their deaths, and the end of the run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import caller, children
from waiting import eventually


@pytest.fixture
def watched() -> Iterator[None]:
    caller.watch()
    yield
    signal.alarm(0)
    caller.forget()


def slept(seconds: float, place: Path) -> children.Answer:
    (place / f"{os.getpid()}.began").touch()
    time.sleep(seconds)
    return {"pid": os.getpid(), "at": time.monotonic()}


def test_answers(tmp_path: Path) -> None:
    found = children.run({str(number): partial(slept, 0, tmp_path) for number in range(5)}, 2)
    assert sorted(found) == ["0", "1", "2", "3", "4"]
    assert os.getpid() not in {answer["pid"] for answer in found.values()}
    assert len({answer["pid"] for answer in found.values()}) == 5
    assert children.run({}, 2) == {}


def test_a_long_answer() -> None:
    assert children.run({"a": lambda: {"text": "x" * 300_000}}, 1)["a"] == {"text": "x" * 300_000}


def test_one_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    children.run({str(number): partial(slept, 0.1, tmp_path) for number in range(4)}, 1)
    assert time.monotonic() - began >= 0.4


def test_four_at_once(tmp_path: Path) -> None:
    """Each of them waits until all have begun."""

    def meets() -> children.Answer:
        (tmp_path / f"{os.getpid()}.began").touch()
        eventually(lambda: len(list(tmp_path.glob("*.began"))) == 4)
        return {}

    assert children.run(dict.fromkeys("abcd", meets), 4) == {name: {} for name in "abcd"}


def test_one_that_dies_is_its_own_failure(tmp_path: Path) -> None:
    def dies() -> children.Answer:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    def raises() -> children.Answer:
        raise ValueError

    found = children.run({"dies": dies, "raises": raises, "lives": partial(slept, 0.1, tmp_path)}, 2)
    assert (found["dies"], found["raises"], "pid" in found["lives"]) == ({"died": -9}, {"died": 1}, True)


def cleaning(place: Path) -> children.Answer:
    (place / "began").touch()
    try:
        while True:
            caller.check()
            time.sleep(0.02)
    except caller.Abandoned:
        time.sleep(0.3)
        (place / f"cleaned.{os.getpid()}").touch()
        raise


@pytest.mark.usefixtures("watched")
def test_an_abandoned_run_waits_until_all_have_cleaned_up(tmp_path: Path) -> None:
    def abandon() -> children.Answer:
        while not (tmp_path / "began").exists():
            time.sleep(0.02)
        os.kill(os.getppid(), signal.SIGTERM)
        return cleaning(tmp_path)

    with pytest.raises(caller.Abandoned):
        children.run({"a": partial(cleaning, tmp_path), "b": abandon}, 2)
    assert len(list(tmp_path.glob("cleaned.*"))) == 2


def test_children_die_with_the_module(tmp_path: Path) -> None:
    module = os.fork()
    if module == 0:
        children.run({"a": partial(slept, 60, tmp_path)}, 1)
        os._exit(0)
    eventually(lambda: list(tmp_path.glob("*.began")))
    (began,) = tmp_path.glob("*.began")
    os.kill(module, signal.SIGKILL)
    os.waitpid(module, 0)
    child = int(began.stem)
    eventually(lambda: not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text())
