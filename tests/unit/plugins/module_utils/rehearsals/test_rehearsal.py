# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals: lines are added until the Act plays, and everything is removed afterwards."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.diagnosis import lookup
from ansible_collections.backstage.django.plugins.module_utils.host import names, process, users
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order, Outcome
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import rehearsal as rehearsals
from ansible_collections.backstage.django.plugins.module_utils.stages import pages
from ansible_collections.backstage.django.plugins.modules import backstage_rehearsal

from ...house import House
from ...manifests import VENUE
from ...told import told
from .managers import FILES, IN_THE_CODE, options, rehearse


def test_an_act_that_needs_no_line(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, managers = rehearse(stage, monkeypatch, None)
    assert (found["plays"], found["because"], found["missing"], found["error"]) == (True, {}, [], "")
    assert found["act"] == {"name": "kittens", "source": {"path": "/kittens"}}
    assert found["found"] == {
        "settings": "kittens.settings",
        "application": "kittens.wsgi:application",
        "manage": "manage.py",
        "requirements": ["requirements.txt"],
    }
    by_the_controller = {"manifest", "stdout", "stdout_lines"}
    assert {*yaml.safe_load(backstage_rehearsal.RETURN)} == {*found, *by_the_controller} - {"verdict"}
    first, *played, last = managers.orders
    assert first.strike
    assert last.strike
    assert [order.through for order in played] == ["build", "play"]


def test_nobody_hears_of_it(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told its Venues, and plays in its own Production, without a port of the host."""
    more = {"sesses": [{"act": "kittens", "port": 8001, "state": "stopped", "processes": 3}]}
    _found, managers = rehearse(stage, monkeypatch, None, more=more)
    for order in managers.orders:
        assert (order.manifest.production, order.private) == (names.REHEARSAL, True)
    played = managers.orders[2]
    sess = played.manifest.sesses["kittens"]
    assert (sess.port, sess.state, sess.processes) == (None, "started", 3)
    assert [*played.manifest.venues] == [VENUE]
    assert played.manifest.acts["kittens"].secrets == {}


def test_lines_are_written_until_it_plays(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, managers = rehearse(
        stage,
        monkeypatch,
        ("settings", "KeyError: 'SECRET_KEY'"),
        ("settings", "KeyError: 'KITTENS_LIMIT'"),
        ("settings", "ValueError: invalid literal for int() with base 10: 'rehearsal-placeholder'"),
        ("collectstatic", "STATIC_ROOT is not set"),
        ("migrate", "OperationalError: attempt to write a readonly database"),
        ("gate", "/ answers 400 to the host 'kittens.example.com'"),
        ("gate", "/ answers 404 to the host 'kittens.example.com'"),
        None,
        record={"databases": {"default": IN_THE_CODE}, "project": "."},
    )
    assert found["plays"]
    act = found["act"]
    assert act["secrets"] == {"SECRET_KEY": "{{ vault_kittens_secret_key }}"}
    assert (act["env"], act["writable"], act["health"]) == ({"KITTENS_LIMIT": "1"}, ["db.sqlite3"], {"path": "/a/"})
    assert act["settings"] == "kittens.stage"
    assert "STATIC_ROOT = " in act["files"][0]["content"]
    assert "ALLOWED_HOSTS = " in act["files"][0]["content"]
    assert found["because"]["writable"] == [lookup.find("attempt to write a readonly database")]
    assert found["missing"] == ["KITTENS_LIMIT needs a value: this one only let the rehearsal continue"]
    assert found["lacking"] == []
    assert found["verdict"] == ""
    last = managers.orders[-2].manifest.acts["kittens"]
    assert last.secrets
    assert len(last.secrets["SECRET_KEY"]) > 40
    assert last.secrets["SECRET_KEY"] not in str(found)


def test_a_page_whose_style_sheet_is_a_package_of_javascript(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILES, "ui/package.json", "{}")
    monkeypatch.setitem(FILES, "kittens/settings.py", "STATICFILES_DIRS = [BASE / 'ui/node_modules']")
    said = f"/ names the style sheet /static/a.css: {pages.WHERE}"
    found, _managers = rehearse(stage, monkeypatch, ("gate", said), None)
    assert found["act"]["build"] == ["npm --prefix ui install --omit=dev"]


def test_a_sess_that_takes_its_time(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow host is no reason to end: twice the time, and once more."""
    slow = ("start", "the Sess was not ready within 30 s: raise health.timeout")
    found, managers = rehearse(stage, monkeypatch, slow, slow, None)
    assert found["act"]["health"] == {"timeout": 120}
    assert [order.manifest.acts["kittens"].health.timeout for order in managers.orders[2:-1:2]] == [30, 60, 120]
    found, _managers = rehearse(stage, monkeypatch, *[slow] * 5)
    assert (found["plays"], found["act"].get("health")) == (False, None)


def test_a_reason_names_places_as_the_source_has_them(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release that is tried is gone when somebody reads it."""
    rehearsal = rehearsals.Rehearsal(options(stage))
    code = rehearsal.paths.act("kittens").release(rehearsal._release()).code
    found, _managers = rehearse(
        stage,
        monkeypatch,
        ("check", f"PermissionError: [Errno 13] Permission denied: '{code}/media' (mkdir)"),
        None,
    )
    assert found["act"]["writable"] == ["media/"]
    assert found["because"]["writable"][0].startswith("the Act may not make the directory 'media': ")


@pytest.fixture
def leftover() -> Iterator[process.User]:
    """A user of a rehearsal that was killed before anything else was made."""
    name = names.player(names.REHEARSAL, f"u{os.getpid()}")
    yield users.ensure(name, "/nonexistent", f"{names.REHEARSAL} u player")
    users.remove(name)


def test_it_leaves_nothing_when_it_is_interrupted(
    stage: House, monkeypatch: pytest.MonkeyPatch, leftover: process.User
) -> None:
    orders: list[Order] = []

    def carry_out(order: Order) -> Outcome:
        orders.append(order)
        if not order.strike:
            raise KeyboardInterrupt
        return Outcome()

    os.makedirs(stage.act("old").root)
    monkeypatch.setattr(production, "carry_out", carry_out)
    with pytest.raises(KeyboardInterrupt):
        rehearsals.Rehearsal(options(stage)).run()
    assert [order.strike for order in orders] == [True, False, True]
    assert orders[0].delete_data == {"old"}, "what a killed one left"
    assert users.find(leftover.name) is None
    assert not os.path.exists(rehearsals.REHEARSAL_LOCK)


def test_what_does_not_go_is_said(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Outcome(errors=[BackstageError("it stays", step="stop")])
    monkeypatch.setattr(production, "carry_out", lambda order: stuck)
    assert told(rehearsals.Rehearsal(options(stage)).run) == "it stays"


def test_a_host_without_a_stage(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (stage.root / "etc" / "stage.json").unlink()
    assert "this host has no stage" in told(rehearsals.Rehearsal(options(stage)).run)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from django.core.management import execute_from_command_line", ["cats-admin"]),
        ("from django.core.management import ManagementUtility\nManagementUtility().execute()", ["cats-admin"]),
        ("print('miaow')", []),
    ],
)
def test_console_scripts_that_manage_a_project(tmp_path: Path, code: str, found: list[str]) -> None:
    information = tmp_path / "cats-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: cats\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[console_scripts]\ncats-admin = cats:main\ngone = gone:main\n")
    (tmp_path / "cats.py").write_text(code)
    argv = ["/usr/bin/python3", "-c", rehearsals._COMMANDS]
    ran = subprocess.run(argv, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == found
