# SPDX-License-Identifier: GPL-3.0-or-later
"""The program backstage-bookings: its modules run on a host that has nothing but Python."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import facts
from ansible_collections.backstage.django.plugins.plugin_utils import library

from ...house import House

START = "import sys; sys.path.insert(0, sys.argv[1]); from backstage.bookings.box_office import main; sys.exit(main())"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """What the role writes."""
    for name, text in library.texts_of(["bookings/box_office.py"]).items():
        place = tmp_path / "backstage" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path


def run(code: Path, **environment: str) -> tuple[int, str]:
    argv = [sys.executable, "-I", "-S", "-c", START, code]
    ended = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture
def calendar(code: Path, house: House) -> Path:
    """A host whose one Venue has a schedule of always."""
    for module, name, path in (
        ("facts", "STAGE", facts.STAGE),
        ("facts", "FRONT_OF_HOUSE", facts.FRONT_OF_HOUSE),
        ("layout", "HOST_LOCK", str(house.root / "lock")),
    ):
        with (code / f"backstage/host/{module}.py").open("a") as file:
            file.write(f"\n{name} = {path!r}\n")
    directory = Path(house.host.calendar, "jazz.a.example")
    directory.mkdir()
    (directory / "jazz.conf").touch()
    gigs = [{"act": "jazz", "path": "/", "when": []}]
    (directory / "schedule.json").write_text(json.dumps({"venue": "a.example", "timezone": "UTC", "gigs": gigs}))
    os.symlink("../calendar/jazz.a.example/_.conf", Path(house.host.venues, "jazz.a.example.conf"))
    return directory


def test_it_links_what_is_on_and_says_so(code: Path, calendar: Path, house: House) -> None:
    assert run(code) == (0, "jazz.a.example: jazz is on\n")
    assert Path(house.host.venues, "jazz.a.example.conf").readlink().name == "jazz.conf"
    assert run(code) == (0, "")
    (calendar / "jazz.conf").unlink()
    ended, said = run(code, JOURNAL_STREAM="8:1")
    assert (ended, said.startswith("<5>jazz.a.example: ")) == (1, True)


@pytest.mark.usefixtures("calendar")
def test_fault_26_a_deploy_goes_first(code: Path, house: House) -> None:
    module = code / "backstage/bookings/box_office.py"
    module.write_text(module.read_text().replace("_PATIENCE = 10", "_PATIENCE = 0.2"))
    lock = house.root / "lock"
    lock.write_text("process 1 of ada")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run(code) == (0, f"process 1 of ada holds {lock}; the next run looks again\n")
    assert Path(house.host.venues, "jazz.a.example.conf").readlink().name == "_.conf"
