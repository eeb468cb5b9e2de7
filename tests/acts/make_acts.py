# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the projects of recipes.yml by their own steps: make_acts.py [ACT...]

Each comes to stand in .made/<act>/project. It is made once, and again only when its steps have changed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
UV = str(Path(sys.executable).with_name("uv"))
PIP = f'pip() {{ "{UV}" pip "$@" --quiet; }}'  # the same installs in a tenth of the time

Recipe = dict[str, Any]


def load() -> dict[str, Recipe]:
    """All recipes, by name."""
    with open(HERE / "recipes.yml", encoding="utf-8") as file:
        return {recipe["name"]: recipe for recipe in yaml.safe_load(file)["acts"]}


def make(recipe: Recipe, work: Path) -> bool:
    """Make one project in ``work/project``; False if it is there already."""
    steps = json.dumps([*recipe["install"], *recipe["create"]], indent=2)
    seal = work / "made.json"  # written last: without it the steps did not get to their end
    if seal.is_file() and seal.read_text(encoding="utf-8") == steps:
        return False
    shutil.rmtree(work, ignore_errors=True)
    source = work / "project"
    source.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as environment:
        subprocess.run([UV, "venv", "--quiet", "--python", "/usr/bin/python3", environment], check=True)
        for step in json.loads(steps):
            run(step, source, environment)
    seal.write_text(steps, encoding="utf-8")
    return True


def run(step: str, source: Path, environment: str) -> None:
    """Run one step as it is written, in the project's directory and the environment."""
    script = step.replace("{src}", str(source)).replace("{work}", str(source.parent))
    variables = {
        **os.environ,
        "PATH": f"{environment}/bin:/usr/local/bin:/usr/bin:/bin",  # no black of our own: startproject would run it
        "VIRTUAL_ENV": environment,
        "UV_NO_CONFIG": "1",
        "UV_SYSTEM_CERTS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run(["bash", "-euc", f"{PIP}\n{script}"], cwd=source, env=variables, check=True, stdout=sys.stderr)


def main() -> None:
    recipes = load()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("acts", nargs="*", metavar="ACT", help=f"of {', '.join(recipes)}; default: all")
    names = parser.parse_args().acts or list(recipes)
    for name in names:
        if name not in recipes:
            parser.error(f"no recipe is called '{name}'; there are {', '.join(recipes)}")
        work = HERE / ".made" / name
        print(f"{name}: {'made' if make(recipes[name], work) else 'is there'}", flush=True)


if __name__ == "__main__":
    main()
