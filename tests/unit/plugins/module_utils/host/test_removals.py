# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken away is ours, or empty."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import removals
from ansible_collections.backstage.django.plugins.module_utils.host.files import OWNERSHIP

OURS = [
    (f"# {OWNERSHIP}\n", True),
    (f"#!/bin/sh\n# {OWNERSHIP}\n", True),
    (f"<!DOCTYPE html>\n<!-- {OWNERSHIP} -->\n", True),
    (f"\n\n\n# {OWNERSHIP}\n", False),
    ('{"managed_by": "backstage.django", "format": 1}', True),
    ('{"managed_by": "somebody"}', False),
    ('["managed_by"]', False),
    ("server {}", False),
    ("", False),
]


@pytest.mark.parametrize(("text", "ours"), OURS)
def test_whose_a_file_is(text: str, ours: bool) -> None:
    assert removals.is_ours(text) is ours


def test_files(tmp_path: Path) -> None:
    ours, theirs, link = (tmp_path / name for name in ("ours", "theirs", "link"))
    ours.write_text(f"# {OWNERSHIP}\n")
    theirs.write_bytes(b"\xff\n")
    link.symlink_to(ours)
    (tmp_path / "none.new").write_text("half of it")
    changes, kept = removals.of_files([str(path) for path in (ours, theirs, link, tmp_path / "none")])
    assert kept == [str(theirs), str(link)]
    for change in changes:
        change.apply()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "theirs"]


def test_logs_with_their_rotated_copies(tmp_path: Path) -> None:
    for name in ("emperor.log", "emperor.log.1", "emperor.log.2.gz", "emperor.logs"):
        (tmp_path / name).touch()
    for change in removals.of_logs([str(tmp_path / "emperor.log")]):
        change.apply()
    assert [path.name for path in tmp_path.iterdir()] == ["emperor.logs"]


def test_directories_that_are_empty_then(tmp_path: Path) -> None:
    for name in ("a", "a/b", "a/b/c", "d", "e"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/b/file").touch()
    (tmp_path / "d/file").touch()
    (tmp_path / "f").symlink_to(tmp_path / "e")
    paths = [str(tmp_path / name) for name in ("a", "a/b", "a/b/c", "d", "f", "none")]
    assert [change.path for change in removals.of_directories(paths, [])] == [str(tmp_path / "a/b/c")]
    changes = removals.of_directories(paths, [str(tmp_path / "a/b/file")])
    (tmp_path / "a/b/file").unlink()
    for change in changes:
        change.apply()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "e", "f"]


def test_a_link_of_somebody_else(tmp_path: Path) -> None:
    site, link, other = (tmp_path / name for name in ("site", "link", "other"))
    site.touch()
    links = {str(link): str(site)}
    assert list(removals.of_links(links)) == []
    link.symlink_to(other)
    assert list(removals.of_links(links)) == [], "it leads elsewhere"
    link.unlink()
    link.symlink_to("site")
    for change in removals.of_links(links):
        change.apply()
    assert not link.is_symlink()
    for change in removals.put_back(links):
        change.apply()
    assert link.resolve() == site
    assert list(removals.put_back(links)) == []
    link.unlink()
    site.unlink()
    assert list(removals.put_back(links)) == [], "it would lead nowhere"
