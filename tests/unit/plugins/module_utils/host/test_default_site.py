# SPDX-License-Identifier: GPL-3.0-or-later
"""The package's own site: only what nobody has touched is taken out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import default_site, packages

STATES = [
    # (the file, as the package shipped it; None where nothing is enabled, whether it is enabled by its link, the state)
    ("server {}", "server {}", True, default_site.UNTOUCHED),
    ("server { mine; }", "server {}", True, default_site.CHANGED),
    ("server {}", "server {}", False, default_site.CHANGED),
    ("server {}", None, True, default_site.NONE),
]


@pytest.mark.parametrize(("text", "shipped", "linked", "state"), STATES)
def test_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, shipped: Optional[str], linked: bool, state: str
) -> None:
    site, link = tmp_path / "available", tmp_path / "enabled"
    site.write_text(text, encoding="utf-8")
    if shipped and linked:
        link.symlink_to(site)
    elif shipped:
        link.write_text(text, encoding="utf-8")
    digest = hashlib.md5((shipped or "").encode(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(default_site, "SITE", str(site))
    monkeypatch.setattr(default_site, "LINK", str(link))
    monkeypatch.setattr(packages, "shipped", lambda _package: {str(site): digest})
    assert default_site.state() == state


NOTES = [('{"removed_default_site": true}', True), ("{}", False), ("[]", False), ("{", False), ("", False)]


@pytest.mark.parametrize(("text", "removed"), NOTES)
def test_what_an_earlier_run_noted(tmp_path: Path, text: str, removed: bool) -> None:
    facts = tmp_path / "front_of_house.json"
    facts.write_text(text, encoding="utf-8")
    assert default_site.was_removed(str(facts)) is removed
    assert not default_site.was_removed(str(tmp_path / "none"))
