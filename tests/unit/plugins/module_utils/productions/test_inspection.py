# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of drift, made by a hand: one line each with what, where, and which playbook mends it."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import digests, environments
from ansible_collections.backstage.django.plugins.module_utils.bookings import calendars
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.host.layout import SEAL
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Venue
from ansible_collections.backstage.django.plugins.module_utils.productions import inspection
from ansible_collections.backstage.django.plugins.module_utils.stages import timers
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import KITTENS, House, wanted
from .test_manager import settled

VENUE = "kittens.example.com"


@pytest.fixture
def playing(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """kittens plays, with a sealed release and environment that were recorded; its roles' records are empty."""
    monkeypatch.setattr(inspection, "RECORDS", str(house.root / "etc"))
    settled(house)
    act = house.state()
    release = house.act().release(act.live_release or "")
    environment = house.paths.environment(act.releases[act.live_release or ""]["environment"])
    os.makedirs(os.path.join(environment, "lib"))
    for tree, seal in ((release.root, SEAL), (environment, environments.SEAL)):
        (Path(tree) / ("code" if seal == SEAL else "lib") / "app.py").write_text("print()\n")
        text = files.read(os.path.join(tree, seal)) or "{}\n"
        files.remove(os.path.join(tree, seal))
        digests.record(tree, seal)
        time.sleep(0.02)  # the clock of the file system
        Path(tree, seal).write_text(text)
    house.as_made("kittens")
    assert lines(house) == lines(house, whole=True) == []
    time.sleep(0.02)
    return house


def lines(house: House, whole: bool = False) -> list[str]:
    found = inspection.inspect(state.read("jazz", house.host), house.host, whole)
    return [one.line().replace(str(house.root), "") for one in found]


def live(house: House) -> Path:
    return Path(os.path.realpath(house.act().live))


def release(house: House) -> Path:
    return Path(house.act().release(house.state().live_release or "").root)


def environment(house: House) -> Path:
    return next(Path(house.paths.environments).iterdir())


def edit(path: Path) -> None:
    """In place: mode and owner stay."""
    path.write_bytes(path.read_bytes() + b"# by hand\n")


def unlink_vassal(house: House) -> None:
    next(Path(house.host.vassals).iterdir()).unlink()


def write_limits(house: House) -> None:
    path = live(house) / "limits.json"
    path.write_text("{}\n")
    path.chmod(0o600)


MADE = "changed by hand, or made by an earlier Backstage"
DEPLOY = "; the playbook deploy mends it"
HANDS: list[tuple[str, Callable[[House], object], str]] = [
    (
        "sealed code",
        lambda house: edit(release(house) / "code" / "app.py"),
        f"sealed, and changed since: code/app.py; {inspection.REFRESH}",
    ),
    (
        "an environment",
        lambda house: edit(environment(house) / "lib" / "app.py"),
        f"sealed, and changed since: lib/app.py; {inspection.REFRESH}",
    ),
    (
        "a file beside the code",
        lambda house: (release(house) / "code" / "local.py").touch(),
        f"sealed, and changed since: code/local.py; {inspection.REFRESH}",
    ),
    (
        "uwsgi.ini",
        lambda house: edit(live(house) / "uwsgi.ini"),
        "changed by hand, or made by an earlier Backstage" + DEPLOY,
    ),
    (
        "limits that a hand gave it",
        write_limits,
        f"limits.json: {MADE}" + DEPLOY,
    ),
    ("a variable", lambda house: edit(live(house) / "env" / "KEY"), "env: a variable was changed by hand" + DEPLOY),
    (
        "a mode",
        lambda house: (live(house) / "env").chmod(0o755),
        "env: 0755 root:jazz-kittens, not 0750 root:jazz-kittens" + DEPLOY,
    ),
    ("a lost vassal", unlink_vassal, "missing, so the emperor does not play it" + DEPLOY),
    (
        "a foreign vassal",
        lambda house: Path(house.host.vassals, "shop.ini").touch(),
        "/vassals/shop.ini: a vassal that is not Backstage's; move it elsewhere: nothing is deployed beside it",
    ),
    (
        "a server block",
        lambda house: edit(Path(house.host.venues) / f"jazz.{VENUE}.conf"),
        f"drift: venue {VENUE}: /venues/jazz.{VENUE}.conf: changed by hand, or made by an earlier Backstage" + DEPLOY,
    ),
]


@pytest.mark.parametrize(("change", "told"), [row[1:] for row in HANDS], ids=[row[0] for row in HANDS])
def test_a_hand(playing: House, change: Callable[[House], object], told: str) -> None:
    change(playing)
    (line,) = lines(playing)
    assert told in line
    assert lines(playing, whole=True) == [line]


@pytest.fixture
def scheduled(playing: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Venue's link, as the program last moved it: kittens is on until the end of time, and dogs was before."""
    (playing.root / "cron.d").mkdir()
    monkeypatch.setattr(timers, "CRON", str(playing.root / "cron.d"))
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/bin/true")
    booked = [Booked(name, "/", ("/static/",), (), 60, when=when) for name, when in TIMES.items()]
    release = playing.state().live_release or ""
    playing.build(release, "dogs")
    playing.record(wanted(Act("dogs", source=KITTENS.source), release=release))
    path = playing.book(Venue(VENUE), *booked)
    calendars.timer(playing.host).switch(True)
    return path


TIMES = {"kittens": ("2020-01-01..2999-12-31",), "dogs": ("2019-01-01",)}


def test_an_act_that_is_on_too_long(playing: House, scheduled: Path) -> None:
    assert lines(playing) == []
    os.unlink(scheduled)
    os.symlink(f"../calendar/jazz.{VENUE}/dogs.conf", scheduled)
    assert lines(playing) == [
        f"drift: venue {VENUE}: dogs: is on, not kittens, as its times say; the playbook deploy mends it"
    ]


@pytest.mark.usefixtures("scheduled")
def test_a_calendar_that_nobody_looks_at(playing: House) -> None:
    (playing.root / "cron.d" / "backstage-bookings").unlink()
    assert lines(playing) == [
        "drift: the host: backstage-bookings: not started every minute, so that no Act comes or goes at its time;"
        " the playbook deploy mends it"
    ]


def test_fault_95_a_hand_in_a_block_of_the_calendar(playing: House, scheduled: Path) -> None:
    (scheduled.resolve().parent / "dogs.conf").write_text("")
    assert lines(playing) == [
        f"drift: venue {VENUE}: /venues/jazz.{VENUE}.conf: changed by hand, or made by an earlier Backstage;"
        " the playbook deploy mends it"
    ]


def test_a_mode_inside_the_code_is_no_other_content(playing: House) -> None:
    """A deploy mends the top directory's, and its content is still what was sealed."""
    (release(playing) / "code").chmod(0o700)
    (release(playing) / "code").chmod(0o750)
    assert lines(playing) == lines(playing, whole=True) == []
    (release(playing) / digests.RECORD).unlink()
    assert lines(playing) == []


def test_what_an_earlier_backstage_sealed(playing: House) -> None:
    """Without a record the cheap look goes by time, and verify says that it knows nothing."""
    (release(playing) / digests.RECORD).unlink()
    assert lines(playing) == []
    (line,) = lines(playing, whole=True)
    assert line.endswith(f"sealed by an earlier Backstage: not verified; {inspection.REFRESH}")
    edit(release(playing) / "code" / "app.py")
    (line,) = lines(playing)
    assert "sealed, and changed since: code/app.py" in line


def test_a_release_that_does_not_play_is_verified_only_when_asked(playing: House) -> None:
    tree = Path(playing.act().release("0" * 12).root)
    playing.build(tree.name)
    text = (tree / SEAL).read_text()
    (tree / SEAL).unlink()
    digests.record(str(tree), SEAL)
    time.sleep(0.02)
    (tree / SEAL).write_text(text)
    playing.as_made("kittens")
    (tree / "code" / "x").touch()
    assert lines(playing) == []
    assert [line for line in lines(playing, whole=True) if "code/x" in line]


ROLES: list[tuple[Callable[[Path], object], str]] = [
    (edit, "changed by hand; the playbook site mends it"),
    (lambda path: path.chmod(0o600), "0600 root:root, not 0644 root:root; the playbook site mends it"),
    (lambda path: os.chown(path, 1, 1), "0644 daemon:daemon, not 0644 root:root; the playbook site mends it"),
    (Path.unlink, "missing; the playbook site mends it"),
    (lambda path: (path.unlink(), path.mkdir(0o644)), "changed by hand; the playbook site mends it"),
]


@pytest.mark.parametrize(("change", "told"), ROLES)
def test_what_a_role_wrote(playing: House, change: Callable[[Path], object], told: str) -> None:
    """The lines of its record are those that a role writes."""
    file, directory, log = (playing.root / name for name in ("uwsgi.params", "wrapper", "emperor.log"))
    file.write_text("uwsgi_param A b;\n")
    directory.mkdir(0o755, exist_ok=True)
    log.write_text("yesterday\n")
    log.chmod(0o640)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (playing.root / "etc" / "stage.files").write_text(
        "# Managed by Backstage (backstage.django): changes are overwritten.\n"
        f"{directory} 0755 root:root directory\n{file} 0644 root:root {digest}\n{log} 0640 root:root log\n"
    )
    edit(log)
    assert lines(playing) == []
    change(file)
    assert lines(playing) == [f"drift: the host: /uwsgi.params: {told}"]
