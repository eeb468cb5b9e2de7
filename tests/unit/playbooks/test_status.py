# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook status, run by ansible-playbook on this machine, where nothing plays: it writes what it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLAYBOOK = Path(__file__).parents[3] / "playbooks" / "status.yml"
ALONE = "ansible_become=false ansible_python_interpreter=/usr/bin/python3 backstage_production=jazz"


def run(place: Path, *options: str) -> str:
    """Run the playbook in this directory."""
    (place / "inventory").write_text(f"[backstage_stage]\nlocalhost ansible_connection=local {ALONE}\n")
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", str(place / "inventory"), *options, str(PLAYBOOK)]
    environ = {**os.environ, "ANSIBLE_NOCOLOR": "1", "HOME": str(place)}
    done = subprocess.run(argv, cwd=place, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("folder", [".", "boards"])
def test_files_are_written_where_the_command_was_run(tmp_path: Path, folder: str) -> None:
    """A path may be relative, as everywhere in a shell."""
    (tmp_path / "boards").mkdir()
    run(tmp_path, "-e", f"callboard={folder}/board.html", "-e", f"json={folder}/status.json")
    page, data = tmp_path / folder / "board.html", tmp_path / folder / "status.json"
    assert "<h1>Callboard of jazz</h1>" in page.read_text()
    assert json.loads(data.read_text())["localhost"]["status"] == {}
    assert [path.stat().st_mode & 0o777 for path in (page, data)] == [0o640] * 2


def test_without_files_it_only_shows(tmp_path: Path) -> None:
    said = run(tmp_path)
    assert "nothing of this Production is here" in said
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["inventory"]
