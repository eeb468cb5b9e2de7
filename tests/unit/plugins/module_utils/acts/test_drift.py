# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hand changed of an Act's users and places: told, planned with before and after, and mended by a deploy."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import drift
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.drift import Drift
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options as orders

from ...conftest import Crew
from ...house import House, wanted
from ...manifests import act
from ..productions.test_manager import given, settled

PLACES: list[tuple[str, Callable[[str], Any], str, str]] = [
    # the place below the Act, what is done to it, how it is then, and how it should be
    ("data", lambda path: Path(path).chmod(0o755), "0755 {player}:{player}", "0700 {player}:{player}"),
    ("data", lambda path: os.chown(path, 0, 0), "0700 root:root", "0700 {player}:{player}"),
    ("media", lambda path: Path(path).chmod(0o750), "0750 {player}:www-data", "2750 {player}:www-data"),
    ("releases", lambda path: Path(path).chmod(0o777), "0777 root:root", "0711 root:root"),
    ("sesses", lambda path: os.chown(path, 1, 1), "0711 daemon:daemon", "0711 root:root"),
    ("act.json", lambda path: Path(path).chmod(0o644), "0644 root:root", "0600 root:root"),
    ("history.jsonl", lambda path: os.chown(path, 54321, 54321), "0600 54321:54321", "0600 root:root"),
    ("releases/{release}/code", lambda path: Path(path).chmod(0o755), "0755 root:{player}", "0750 root:{player}"),
    (
        "releases/{release}/release.json",
        lambda path: Path(path).chmod(0o666),
        "0666 root:{player}",
        "0640 root:{player}",
    ),
    ("live/env", lambda path: Path(path).chmod(0o755), "0755 root:{player}", "0750 root:{player}"),
    ("live/env/KEY", lambda path: Path(path).chmod(0o644), "0644 root:{player}", "0640 root:{player}"),
    ("live/door", lambda path: Path(path).chmod(0o777), "0777 root:www-data", "0750 root:www-data"),
    ("live/uwsgi.ini", lambda path: os.chown(path, 1, -1), "0640 daemon:{player}", "0640 root:{player}"),
    ("live/sess.json", lambda path: Path(path).chmod(0o644), "0644 root:root", "0600 root:root"),
    ("live/limits.json", lambda path: Path(path).chmod(0o644), "0644 root:root", "0600 root:root"),
]


@pytest.fixture
def playing(house: House) -> dict[str, Any]:
    """kittens plays as a finished run left it, with a directory of each kind."""
    before = settled(house, sesses=[{"act": "kittens", "limits": {"tasks": 100}}])
    for path in (house.act().data, house.act().media):
        os.mkdir(path)
    house.as_made("kittens")
    assert verbs(before) == []
    return before


def verbs(before: dict[str, Any]) -> list[str]:
    return [step.verb for step in production.check(orders.for_production(before)).steps]


@pytest.mark.parametrize(("below", "change", "found", "right"), PLACES, ids=[f"{row[0]} {row[2]}" for row in PLACES])
def test_place(
    house: House, playing: dict[str, Any], below: str, change: Callable[[str], Any], found: str, right: str
) -> None:
    state, player = house.state(), names.player("jazz", "kittens")
    path = os.path.join(state.paths.root, below.format(release=state.live_release))
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    change(path)
    found, right = found.format(player=player), right.format(player=player)
    assert drift.of_act(state) == [Drift("act kittens", path, found, right)]
    (step,) = production.check(orders.for_production(playing)).steps
    assert (step.noun, step.verb, step.before, step.after) == ("act", "mend", {path: found}, {path: right})
    drift.mend(state)
    assert (drift.of_act(house.state()), verbs(playing)) == ([], [])


def test_a_link_in_the_place_of_a_directory_is_told_and_never_followed(
    house: House, playing: dict[str, Any], tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(0o755)
    os.rmdir(house.act().data)
    os.symlink(outside, house.act().data)
    (found,) = drift.of_act(house.state())
    assert (found.where, found.found) == (house.act().data, "a link")
    with pytest.raises(drift.BackstageError, match="can't be mended"):
        drift.mend(house.state())
    about = outside.stat()
    assert (about.st_mode & 0o777, about.st_uid) == (0o755, 0)


@pytest.fixture
def people(crewed: House) -> House:
    """An Act of real users."""
    acts.prepare(crewed.act())
    crewed.record(wanted())
    return crewed


USERS: list[tuple[str, list[str], str]] = [
    ("player", ["--shell", "/bin/sh"], "shell: /bin/sh, not /usr/sbin/nologin"),
    ("player", ["--home", "/root"], "home: /root, not {data}"),
    ("player", ["--groups", ""], "groups: none, not {builder}"),
    ("player", ["--groups", "{builder},shadow"], "groups: shadow, {builder}, not {builder}"),
    ("builder", ["--shell", "/bin/bash"], "shell: /bin/bash, not /usr/sbin/nologin"),
    ("builder", ["--groups", "{player}"], "groups: {player}, not none"),
]


@pytest.mark.parametrize(("who", "options", "told"), USERS)
def test_user(people: House, crew: Crew, who: str, options: list[str], told: str) -> None:
    words = {"player": crew.player.name, "builder": crew.builder.name, "data": people.act().data}
    assert drift.of_act(people.state()) == []
    subprocess.run(["usermod", *(option.format(**words) for option in options), words[who]], check=True)
    (found,) = drift.of_act(people.state())
    assert found.line() == (
        f"drift: act kittens: user {words[who]}, {told.format(**words)}; the playbook deploy mends it"
    )
    drift.mend(people.state())
    assert drift.of_act(people.state()) == []


def test_a_home_is_mended_while_the_act_plays(people: House, crew: Crew) -> None:
    """usermod refuses that by itself, and the Act would not be deployed any more."""
    subprocess.run(["usermod", "--home", "/root", crew.player.name], check=True)
    with subprocess.Popen(["sleep", "60"], user=crew.player.uid, group=crew.player.gid) as playing:
        drift.mend(people.state())
        playing.kill()
    assert drift.of_act(people.state()) == []


def test_a_missing_user_is_made_again(house: House, playing: dict[str, Any]) -> None:
    player = names.player("jazz", "kittens")
    subprocess.run(["userdel", "--force", player], check=True)
    (found,) = drift.of_act(house.state())
    assert found.line() == f"drift: act kittens: user {player}: missing; the playbook deploy mends it"
    drift.mend(house.state())
    made = pwd.getpwnam(player)
    left = drift.of_act(house.state())
    subprocess.run(["userdel", "--force", player], check=True)
    assert (made.pw_dir, left) == (house.act().data, [])


def test_an_act_that_is_not_there_has_no_drift(house: House) -> None:
    """Nothing is planned for an Act of which nothing was made yet, or that is taken down."""
    assert "mend" not in verbs(given())
    settled(house)
    Path(house.act().root).chmod(0o777)
    assert "mend" not in verbs(given(acts=[act(state="absent")], gigs=[]))


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            Drift("act a", "/b", "0755 x:y", "0700 x:y"),
            "act a: /b: 0755 x:y, not 0700 x:y; the playbook deploy mends it",
        ),
        (Drift("the host", "/b", "missing", cure="site"), "the host: /b: missing; the playbook site mends it"),
        (Drift("act a", "/b", "changed", cure="do it"), "act a: /b: changed; do it"),
    ],
)
def test_line(found: Drift, line: str) -> None:
    assert found.line() == "drift: " + line
