# SPDX-License-Identifier: GPL-3.0-or-later
"""A host for rehearsals."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import rehearsal as rehearsals

from ...conftest import _house
from ...house import House


@pytest.fixture
def stage(place: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A host that is prepared, seen by the Production in which Acts rehearse."""
    house = _house(place, monkeypatch, names.REHEARSAL)
    monkeypatch.setattr(rehearsals, "REHEARSAL_LOCK", str(place / "srv" / ".rehearsal"))
    return house
