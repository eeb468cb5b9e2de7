# SPDX-License-Identifier: GPL-3.0-or-later
"""uv counts as installed when all of it is."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.host import uv


def test_version(tmp_path: Path) -> None:
    """pip writes the record last, so an interrupted installation has none."""
    program, record = tmp_path / "bin/uv", tmp_path / "lib/python3.13/site-packages/uv-0.11.0.dist-info/RECORD"
    for path in (program, record):
        path.parent.mkdir(parents=True)
    program.touch(0o755)
    assert uv.version(str(tmp_path)) == ""
    record.touch()
    assert uv.version(str(tmp_path)) == "0.11.0"
    program.unlink()
    assert uv.version(str(tmp_path)) == ""
