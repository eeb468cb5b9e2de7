# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half: a home, a cache and a run's own directory that go with the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.plugin_utils import run_cache


@pytest.fixture(autouse=True)
def _controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(run_cache.constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "run"))
