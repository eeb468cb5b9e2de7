# SPDX-License-Identifier: GPL-3.0-or-later
"""A host on which Acts are built."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import environments
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts

from ...house import House
from .jobs import KEY


@pytest.fixture
def workplace(crewed: House, django: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A prepared host on which the one environment that is asked for is there."""
    acts.prepare(crewed.act())
    os.symlink(django, crewed.paths.environment(KEY))
    monkeypatch.setattr(environments, "make", lambda paths, wanted, uv, code: KEY)
    yield crewed
    os.unlink(crewed.paths.environment(KEY))
