# SPDX-License-Identifier: GPL-3.0-or-later
"""An emperor for tests of the Stage manager."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts

from ...emperors import Emperor
from ...house import House


@pytest.fixture
def emperor(crewed: House) -> Iterator[Emperor]:
    acts.prepare(crewed.act())
    found = Emperor(Path(crewed.host.vassals), Path(crewed.host.stats), log=Path(crewed.act().log))
    with found:
        yield found
