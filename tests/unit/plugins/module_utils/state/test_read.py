# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a host: what is sealed, what is left over, what plays; and that reading changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Sess
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from ...house import KITTENS, A, B, House, wanted

PEM = "-----BEGIN KEY-----\r\nMIIB\r\n-----END KEY-----"


def test_an_empty_host(house: House) -> None:
    found = state.read("jazz", house.host)
    assert (found.acts, found.started) == ({}, {})
    act = found.act("kittens")
    assert (act.record, act.releases, act.unsealed, act.live, act.live_release) == ({}, {}, [], None, None)
    assert (act.exists, act.has_data, act.hold, act.live_env) == (False, False, {}, {})
    assert act.next_sess(A) == f"{A}.1"


def test_what_plays(house: House) -> None:
    want = wanted(Act("kittens", source=KITTENS.source, secrets={"KEY": "purrpurr"}, env={"PEM": PEM, "EMPTY": ""}))
    house.build(want.release)
    sess = house.play(want, Sess("kittens", processes=3))
    before = house.seen()
    act = house.state()
    assert (act.live, act.live_release, act.sesses, act.started) == (sess, want.release, [sess], [sess])
    assert (act.live_record["processes"], act.live_record["secrets"]) == (3, ["KEY"])
    assert (act.live_env["KEY"], act.live_env["PEM"], act.live_env["EMPTY"]) == ("purrpurr", PEM, "")
    assert (act.history.played(), act.exists, house.seen()) == ([want.release], True, before)


SEALS = [
    # (what is in release.json, sealed)
    (None, False),
    ("", False),
    ('{"format": 1', False),  # cut short
    ('{"format": 1}', True),
]


@pytest.mark.parametrize(("seal", "sealed"), SEALS)
def test_a_release_without_its_seal_is_none(house: House, seal: str, sealed: bool) -> None:
    paths = house.act().release(A)
    os.makedirs(paths.code)
    if seal is not None:
        Path(paths.seal).write_text(seal)
    act = house.state()
    assert (list(act.releases), act.unsealed) == (([A], []) if sealed else ([], [A]))


def test_acts_of_other_productions_and_foreign_vassals(house: House) -> None:
    """No name contains the delimiter that follows it: blog never matches blog2, and jazz never jazz2."""
    for name in (
        f"backstage.jazz.blog.{A}.1.ini",
        f"backstage.jazz.blog.{A}.2.ini",
        f"backstage.jazz.blog2.{B}.1.ini",
        f"backstage.jazz2.blog.{B}.1.ini",
        f"backstage.jazz.blog.{B}.1.ini.new",  # a link that a killed run was about to rename
        f"backstage.jazz.blog.{B}.ini",
        "kittens.ini",
        "README",
    ):
        os.symlink("/nowhere", os.path.join(house.host.vassals, name))
    found = state.read("jazz", house.host)
    assert found.started == {"blog": [f"{A}.1", f"{A}.2"], "blog2": [f"{B}.1"]}
    assert (sorted(found.acts), found.act("blog").exists) == (["blog", "blog2"], True)


NUMBERS = [
    # (history, directories, vassals, the next of A)
    ([], [], [], 1),
    ([f"{A}.1"], [], [], 2),
    ([], [f"{A}.4"], [], 5),
    ([], [], [f"{A}.9"], 10),
    ([f"{A}.3"], [f"{A}.2"], [f"{A}.1"], 4),
    ([f"{B}.8"], [f"{B}.8", "trash"], [f"{B}.8"], 1),
]


@pytest.mark.parametrize(("history", "sesses", "vassals", "number"), NUMBERS)
def test_no_sess_is_named_like_another(
    house: House, history: list[str], sesses: list[str], vassals: list[str], number: int
) -> None:
    house.log(*[{"event": "started", "sess": sess} for sess in history])
    for sess in sesses:
        os.makedirs(house.act().sess(sess).root)
    for sess in vassals:
        os.symlink("/nowhere", os.path.join(house.host.vassals, f"backstage.jazz.kittens.{sess}.ini"))
    assert house.state().next_sess(A) == f"{A}.{number}"


def test_no_sess_is_named_like_one_that_the_stage_remembers(house: House) -> None:
    assert house.state().next_sess(A, [f"{A}.3", f"{B}.7", "trash"]) == f"{A}.4"


ENVIRONMENT = {"A": "", "B": "one\ntwo", "C": "\nx", "D": PEM, "E": "a\rb", "F": "ä€ % $(X) @(exec://x) '\""}


def test_read_env_is_byte_exact(tmp_path: Path) -> None:
    """Else a value would differ from the manifest's at every run, and a new Sess would play each time."""
    for name, value in ENVIRONMENT.items():
        (tmp_path / name).write_bytes(value.encode() + b"\n")
    assert state.read_env(str(tmp_path)) == ENVIRONMENT


def test_data_without_an_act(house: House) -> None:
    """An Act that was removed keeps data, media and history: it is not there, and its data is."""
    house.played(A)
    act = house.state()
    assert (act.exists, act.has_data, act.history.played()) == (False, True, [A])


def test_a_live_link_to_nothing(house: House) -> None:
    """A hand removed the Sess: it is read as playing nothing that is right, not as an error."""
    house.build(A)
    files.link(house.act().live, f"sesses/{A}.1")
    act = house.state()
    assert (act.live, act.live_record, act.live_env) == (f"{A}.1", {}, {})
