# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed run or a manual change left is planned and repaired."""

from __future__ import annotations

import os
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import files

from ...house import A, House
from .runs import BOOKED, PLAY, checked, settled, verbs


def leave_a_release(house: House) -> None:
    os.makedirs(house.act().release(A).code)


def leave_a_sess(house: House) -> None:
    os.makedirs(house.act().sess(f"{A}.1").root)


def leave_a_vassal(house: House) -> None:
    os.symlink(house.act().sess(f"{A}.7").ini, os.path.join(house.host.vassals, f"backstage.jazz.kittens.{A}.7.ini"))


def lose_the_vassal(house: House) -> None:
    for name in os.listdir(house.host.vassals):
        os.unlink(os.path.join(house.host.vassals, name))


def lose_act_json(house: House) -> None:
    os.unlink(house.act().record)


def lose_the_booking(house: House) -> None:
    for name in os.listdir(house.host.venues):
        os.unlink(os.path.join(house.host.venues, name))


def edit_the_ini(house: House) -> None:
    sess = house.state().live or ""
    files.draft(house.act().sess(sess).ini, "[uwsgi]\nprocesses = 99\n", 0o640)


def edit_a_variable(house: House) -> None:
    files.draft(os.path.join(house.act().sess(house.state().live or "").env, "KEY"), "other\n", 0o640)


def lose_live(house: House) -> None:
    os.unlink(house.act().live)


KILLED: list[tuple[Callable[[House], None], list[str]]] = [
    (leave_a_release, ["act kittens: sweep"]),
    (leave_a_sess, ["sess kittens: sweep"]),
    (leave_a_vassal, ["sess kittens: sweep"]),
    (lose_the_vassal, [PLAY]),
    (lose_act_json, ["act kittens: add"]),
    (lose_the_booking, BOOKED),
    (edit_the_ini, ["act kittens: mend", PLAY]),
    (edit_a_variable, ["act kittens: mend", PLAY]),
    (lose_live, ["sess kittens: sweep", PLAY]),
]


@pytest.mark.parametrize(("change", "plan"), KILLED)
def test_what_a_killed_run_or_a_hand_left_is_mended(
    house: House, change: Callable[[House], None], plan: list[str]
) -> None:
    settled(house)
    change(house)
    assert verbs(checked()) == plan
