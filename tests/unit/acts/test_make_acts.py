# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects are made by the recipe's steps, once; the manifest asks for the recipe's packages."""

from __future__ import annotations

import subprocess
from pathlib import Path

import make_acts
import pytest
import yaml

RECIPES = make_acts.load()


def recipe(*create: str) -> make_acts.Recipe:
    return {"install": [], "create": list(create)}


def test_steps_know_where_they_are(tmp_path: Path) -> None:
    work = tmp_path / "kittens"
    steps = recipe("pwd > {work}/here", "echo {src} > there", "command -v python > python")
    assert make_acts.make(steps, work)
    project = str(work / "project")
    assert (work / "here").read_text().strip() == project
    assert (work / "project/there").read_text().strip() == project
    assert not (work / "project/python").read_text().startswith("/usr/")


def test_made_once_and_again_when_the_steps_change(tmp_path: Path) -> None:
    work = tmp_path / "kittens"
    assert make_acts.make(recipe("touch one"), work)
    assert not make_acts.make(recipe("touch one"), work)
    assert make_acts.make(recipe("touch two"), work)
    assert [path.name for path in (work / "project").iterdir()] == ["two"]


def test_a_failed_step_leaves_nothing_that_counts(tmp_path: Path) -> None:
    work = tmp_path / "kittens"
    with pytest.raises(subprocess.CalledProcessError):
        make_acts.make(recipe("touch one", "false; true", "touch two"), work)
    assert not (work / "project/two").exists()
    assert make_acts.make(recipe("touch one"), work)


@pytest.mark.parametrize("name", RECIPES)
def test_manifest_pins_what_the_recipe_pins(name: str) -> None:
    manifest = yaml.safe_load((make_acts.HERE / "manifest.yml").read_text())["made_acts"]
    act = manifest[name]
    files = {file["path"]: file.get("content", "") for file in act["files"]}
    pins = files.get("requirements.txt", act["source"].get("package", "")).split()
    assert act["name"] == name
    assert pins == RECIPES[name]["pypi"]
