# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that needs an Act says so in one line, before anything else is asked or templated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
GIVEN: dict[str, dict[str, Any]] = {  # what they need besides
    "logs": {},
    "manage": {"run": "check"},
    "rehearse": {},
    "restart": {},
    "rollback": {},
    "start": {},
    "stop": {},
}


def asked(playbook: str, **variables: Any) -> tuple[bool, str]:
    """Whether the first condition of a playbook's first task holds with these variables, and what is said else."""
    loader = DataLoader()
    (play,) = loader.load_from_file(str(PLAYBOOKS / f"{playbook}.yml"), trusted_as_template=True)
    first = play["tasks"][0]
    assert first["run_once"], "once, and not for every host"
    question = first["ansible.builtin.assert"]
    condition = question["that"][0] if isinstance(question["that"], list) else question["that"]
    return Templar(loader, variables=variables).evaluate_conditional(condition), question["fail_msg"]


@pytest.mark.parametrize("playbook", GIVEN)
def test_an_act_is_asked_for(playbook: str) -> None:
    passes, said = asked(playbook)
    assert not passes
    assert "-e act=kittens" in said
    assert "\n" not in said.strip()
    assert asked(playbook, act="kittens", **GIVEN[playbook])[0]
