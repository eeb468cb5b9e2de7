# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that the role copies to a host: those that its programs import, and no others."""

from __future__ import annotations

import ast
import configparser
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(__file__).parents[4]
ROLE = COLLECTION / "roles/front_of_house"
MODULE_UTILS = COLLECTION / "plugins/module_utils"
PROGRAMS = ["bookings/renewals.py"]


def imported(module: Path) -> set[Path]:
    """The modules of this collection that one imports, also inside its functions."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            names = [origin.with_suffix(".py"), *(origin / f"{alias.name}.py" for alias in node.names)]
            found |= {name for name in names if name.is_file()}
    return found


def needed(*first: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = set(first)
    while waiting:
        found |= waiting
        waiting = {one for module in waiting for one in imported(module)} - found
    return found


def test_the_modules() -> None:
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    found = needed(*(MODULE_UTILS / program for program in PROGRAMS))
    listed = variables["__front_of_house_modules"]
    assert listed == sorted(str(module.relative_to(MODULE_UTILS)) for module in found)
    folders = {f"{{{{ __front_of_house_library }}}}/backstage/{module.partition('/')[0]}" for module in listed}
    assert folders <= {directory["path"] for directory in variables["__front_of_house_directories"]}


@pytest.mark.parametrize("program", ["backstage-certificates"])
def test_a_program_is_few_lines(program: str) -> None:
    lines = (ROLE / "files" / program).read_text().splitlines()
    assert lines[0] == "#!/usr/bin/python3 -IBS"
    assert len(lines) < 15


def test_the_units() -> None:
    """The service may write where the program writes, and nowhere else."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string((ROLE / "templates/certificates.service.j2").read_text())
    assert unit["Service"]["ProtectSystem"] == "strict"
    assert unit["Service"]["ReadWritePaths"].split() == [
        "/var/lib/backstage",
        "/etc/backstage/certificates",
        "{{", "__front_of_house_directory", "}}",
        "/run",
        "/var/log/nginx",
        "-/srv/backstage",
    ]  # fmt: skip
    timer = configparser.ConfigParser(interpolation=None)
    timer.read_string((ROLE / "templates/certificates.timer.j2").read_text())
    assert timer["Timer"]["Persistent"] == "true"
