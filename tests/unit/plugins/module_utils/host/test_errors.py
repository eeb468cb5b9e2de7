# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failing run prints: the Act, the step and the host in one line, then the end of the log."""

from __future__ import annotations

import platform

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError, Refusal

NODE = platform.node()
CASES = [
    (BackstageError("it broke"), "it broke"),
    (BackstageError("it broke", "act kittens", "gate"), f"act kittens, gate on {NODE}: it broke"),
    (BackstageError("it broke", step="gate"), f"gate on {NODE}: it broke"),
    (BackstageError("it broke", "act kittens"), f"act kittens on {NODE}: it broke"),
    (BackstageError("it broke", log="one\ntwo\n\n"), "it broke\n--- end of the log ---\none\ntwo"),
    (Refusal("backstage_production: use a letter"), "backstage_production: use a letter"),
]


@pytest.mark.parametrize(("error", "said"), CASES)
def test_said(error: BackstageError, said: str) -> None:
    assert str(error) == said


def test_a_refusal_is_caught_like_any_other() -> None:
    assert issubclass(Refusal, BackstageError)
