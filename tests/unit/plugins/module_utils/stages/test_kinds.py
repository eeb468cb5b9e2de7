# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Stage kinds by their names, and that nothing but their folder knows one."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.stages import kinds

from ...house import A, House

KINDS = ("stages.uwsgi", "stages.gunicorn", "stages.units")
MODULE_UTILS = Path(os.path.dirname(kinds.__file__)).parent


def test_the_record_of_a_sess_says_its_kind(house: House) -> None:
    stage = kinds.of_sess({"stage": "uwsgi"}, house.host, house.act())
    assert stage.runner == "the emperor"
    assert type(kinds.of_sess({}, house.host, house.act())) is type(stage)


def test_a_kind_of_a_later_backstage(house: House) -> None:
    with pytest.raises(BackstageError) as refusal:
        kinds.of_sess({"stage": "opera"}, house.host, house.act())
    assert refusal.value.message == "this Backstage has no Stage kind 'opera': update the collection"


@pytest.mark.parametrize("stage", ["uwsgi", "gunicorn", "asgi"])
def test_a_sess_is_started_where_its_links_are(house: House, stage: str) -> None:
    found = kinds.of(stage, house.host, house.act())
    sess = f"{A}.1"
    assert (found.is_started(sess), house.state().started) == (False, [])
    for path, target in found.links(sess).items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
    assert (found.is_started(sess), house.state().started) == (True, [sess])


def test_what_a_killed_run_has_not_renamed(house: House) -> None:
    """Of this Production: another one's run may be about to rename its own."""
    wants = Path(house.host.units, "sockets.target.wants")
    wants.mkdir(parents=True)
    for production in ("jazz", "blues"):
        name = f"backstage.{production}.kittens.{A}.1"
        os.symlink("x", f"{house.host.vassals}/{name}.ini.new")
        os.symlink("x", f"{house.host.units}/{name}.service.new")
        os.symlink("x", wants / f"{name}.socket.new")
        os.symlink("x", wants / f"{name}.socket")
    kinds.sweep("jazz", house.host)
    left = sorted(path.name for place in (house.host.vassals, house.host.units) for path in Path(place).rglob("b*"))
    other = f"backstage.blues.kittens.{A}.1"
    names = [f"{other}.{ending}" for ending in ("ini.new", "service.new", "socket", "socket.new")]
    assert left == sorted([*names, f"backstage.jazz.kittens.{A}.1.socket"])


def test_only_the_folder_of_the_stages_imports_a_kind() -> None:
    named = []
    for path in sorted(MODULE_UTILS.rglob("*.py")):
        if path.parent.name == "stages":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(KINDS):
                named.append(str(path.relative_to(MODULE_UTILS)))
    assert named == []
