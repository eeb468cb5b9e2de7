# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller's half leaves for the table at the end of a run."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.plugin_utils import controller, following, watching

from .test_controller import Action, inventory, run, variables

__all__ = ["inventory"]  # a fixture


def test_the_playbill_of_a_host_is_left_for_the_end_of_the_run(
    inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the second call, where the first one found that a source is missing; also of an Act alone."""
    monkeypatch.setattr(watching, "_watch", watching._Watch(is_on=True))
    monkeypatch.setattr(following, "Follower", lambda *_given: nullcontext())
    bill = {"rows": [{"act": "kittens"}], "others": 0}
    action = Action({"missing": ["kittens"], "playbill": {}}, {"changed": True, "playbill": bill}, {"playbill": bill})
    run(action, inventory)
    options = {"production": "jazz", "name": "kittens", "source": {"path": "kittens"}, "state": None}
    controller.run_act(action, options, variables(inventory))
    assert watching.kept() == [{"host": "one", **bill}] * 2
    ids = [asked["run"] for asked in action.asked]
    assert len({*ids}) == 3, "each call has an id of its own"
