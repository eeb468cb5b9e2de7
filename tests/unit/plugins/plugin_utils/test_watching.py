# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbill of a run: what actions leave for the callback, and the table that it prints of all hosts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.plugin_utils import watching

ROW = {
    "venue": "http://a.example/",
    "act": "kittens",
    "release": "0123456789ab",
    "state": "new",
    "health": "answers",
    "seconds": 6.2,
}
OTHER = {"venue": "", "act": "dogs", "release": None, "state": "not playing", "health": "", "seconds": None}


@pytest.fixture(autouse=True)
def _nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_watch", watching._Watch())


def bill(*rows: dict[str, Any], others: int = 0) -> dict[str, Any]:
    return {"rows": list(rows), "others": others}


def test_actions_leave_their_playbills() -> None:
    watching.watch()
    watching.keep("h1", {"playbill": bill(ROW)})
    watching.keep("h2", {"playbill": bill(OTHER, others=2)})
    assert watching.kept() == [{"host": "h1", **bill(ROW)}, {"host": "h2", **bill(OTHER, others=2)}]


def test_a_failed_task_has_its_playbill_in_the_table_alone() -> None:
    """Ansible prints the whole result of a failed task."""
    watching.watch()
    failed = {"failed": True, "msg": "no", "playbill": bill(ROW)}
    watching.keep("h1", failed)
    assert failed == {"failed": True, "msg": "no"}
    assert watching.kept() == [{"host": "h1", **bill(ROW)}]
    made = {"changed": True, "playbill": bill(ROW)}
    watching.keep("h1", made)
    assert made["playbill"] == bill(ROW), "and who registers the result of another one has it"


@pytest.mark.parametrize("result", [{}, {"playbill": {}}, {"failed": True, "msg": "no"}])
def test_without_a_playbill_nothing_is_left(result: dict[str, Any]) -> None:
    """Such as in check mode."""
    watching.watch()
    watching.keep("h1", result)
    assert watching.kept() == []


def test_without_the_callback_nothing_is_left() -> None:
    watching.keep("h1", {"playbill": bill(ROW)})
    assert watching.kept() == []


def test_the_table_of_one_host() -> None:
    assert watching.lines([{"host": "h1", **bill(ROW, OTHER)}]) == [
        "VENUE              ACT      RELEASE       STATE        HEALTH   SECONDS",
        "http://a.example/  kittens  0123456789ab  new          answers      6.2",
        "-                  dogs     -             not playing  -              -",
    ]


def test_the_table_of_several_hosts_names_them() -> None:
    lines = watching.lines([{"host": "h1", **bill(ROW)}, {"host": "h2", **bill(others=30)}])
    assert lines == [
        "HOST  VENUE              ACT      RELEASE       STATE  HEALTH   SECONDS",
        "h1    http://a.example/  kittens  0123456789ab  new    answers      6.2",
        "and 30 more, for which this run did nothing",
    ]


def test_hosts_stand_in_their_order_whichever_was_first() -> None:
    lines = watching.lines([{"host": "h2", **bill(ROW)}, {"host": "h1", **bill(ROW)}])
    assert [line.split()[0] for line in lines] == ["HOST", "h1", "h2"]


def test_a_run_with_nothing_to_do_for_many_is_one_line() -> None:
    assert watching.lines([{"host": "h1", **bill(others=1000)}]) == ["1000 more, for which this run did nothing"]
    assert watching.lines([]) == []
