# SPDX-License-Identifier: GPL-3.0-or-later
"""The program backstage-bookings: its modules run on a host that has nothing but Python."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import box_office
from ansible_collections.backstage.django.plugins.module_utils.host import facts

from ...house import House

MODULE_UTILS = Path(box_office.__file__).parents[1]
START = "import sys; sys.path.insert(0, sys.argv[1]); from backstage.bookings.box_office import main; sys.exit(main())"


def imported(module: Path) -> set[Path]:
    """The modules of this collection that one imports, also inside its functions."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            names = [origin.with_suffix(".py"), *(origin / f"{alias.name}.py" for alias in node.names)]
            found |= {name for name in names if name.is_file()}
    return found


def needed(first: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = {first}
    while waiting:
        found |= waiting
        waiting = {one for module in waiting for one in imported(module)} - found
    return found


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The modules of the program, and no others."""
    for module in needed(Path(box_office.__file__)):
        place = tmp_path / "backstage" / module.relative_to(MODULE_UTILS)
        place.parent.mkdir(parents=True, exist_ok=True)
        (place.parent / "__init__.py").touch()
        shutil.copy(module, place)
    (tmp_path / "backstage" / "__init__.py").touch()
    return tmp_path


def run(library: Path, **environment: str) -> tuple[int, str]:
    argv = [sys.executable, "-I", "-S", "-c", START, library]
    ended = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def calendar(library: Path, house: House) -> Path:
    """A host whose one Venue has a schedule of always."""
    for module, name, path in (
        ("facts", "STAGE", facts.STAGE),
        ("facts", "FRONT_OF_HOUSE", facts.FRONT_OF_HOUSE),
        ("layout", "HOST_LOCK", str(house.root / "lock")),
    ):
        with (library / f"backstage/host/{module}.py").open("a") as file:
            file.write(f"\n{name} = {path!r}\n")
    directory = Path(house.host.calendar, "jazz.a.example")
    directory.mkdir()
    (directory / "jazz.conf").touch()
    gigs = [{"act": "jazz", "path": "/", "when": []}]
    (directory / "schedule.json").write_text(json.dumps({"venue": "a.example", "timezone": "UTC", "gigs": gigs}))
    os.symlink("../calendar/jazz.a.example/_.conf", Path(house.host.venues, "jazz.a.example.conf"))
    return directory


def test_it_links_what_is_on_and_says_so(library: Path, calendar: Path, house: House) -> None:
    assert run(library) == (0, "jazz.a.example: jazz is on\n")
    assert Path(house.host.venues, "jazz.a.example.conf").readlink().name == "jazz.conf"
    assert run(library) == (0, "")
    (calendar / "jazz.conf").unlink()
    code, said = run(library, JOURNAL_STREAM="8:1")
    assert (code, said.startswith("<5>jazz.a.example: ")) == (1, True)


@pytest.mark.usefixtures("calendar")
def test_a_deploy_goes_first(library: Path, house: House) -> None:
    module = library / "backstage/bookings/box_office.py"
    module.write_text(module.read_text().replace("_PATIENCE = 10", "_PATIENCE = 0.2"))
    lock = house.root / "lock"
    lock.write_text("process 1 of ada")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run(library) == (0, f"process 1 of ada holds {lock}; the next run looks again\n")
    assert Path(house.host.venues, "jazz.a.example.conf").readlink().name == "_.conf"
