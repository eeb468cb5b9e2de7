# SPDX-License-Identifier: GPL-3.0-or-later
"""Cures in a rehearsal that do not help, do not fit, or do not exist."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.diagnosis import lookup
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import cures
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import rehearsal as rehearsals

from ...house import House
from .managers import FILES, rehearse


@pytest.mark.parametrize(
    ("step", "printed"),
    [
        ("settings", "No module named 'kittens_secret'"),
        ("check", "SystemError: whatever"),
        ("gate", "/ answers 500"),
        ("environment", "Because x was not found in the package registry and you require x"),
    ],
)
def test_a_cause_without_a_cure(stage: House, monkeypatch: pytest.MonkeyPatch, step: str, printed: str) -> None:
    found, managers = rehearse(stage, monkeypatch, (step, printed))
    assert (found["plays"], found["step"], found["log"]) == (False, step, printed)
    assert found["error"] == (lookup.find(printed) or printed)
    assert found["missing"] == [found["verdict"].partition("\n")[0]]
    assert f"act kittens, {step} on " in found["verdict"]
    assert managers.orders[-1].strike


def test_a_cure_that_does_not_help_is_not_tried_again(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ("gate", "/ answers 400 to the host 'kittens.example.com'")
    found, managers = rehearse(stage, monkeypatch, refused, refused)
    assert not found["plays"]
    assert "ALLOWED_HOSTS" in found["error"]
    assert {*found["act"]} == {"name", "source"}, "a line that cured nothing is not written"
    assert found["tried"] == [f"{cures.HOSTS}: it did not help, and was removed"]
    assert len([order for order in managers.orders if order.through == "play" and not order.strike]) == 2


def test_a_cure_that_no_manifest_takes(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found until then is told, and not the refusal of a line that nobody has written."""

    def wrong(case: cures.Case) -> None:
        case.draft.set("writable", ["a", "a/"], case.because)

    monkeypatch.setitem(cures.CURES, "STATIC_ROOT unset", (wrong,))
    found, _managers = rehearse(stage, monkeypatch, ("collectstatic", "STATIC_ROOT is not set"))
    assert (found["plays"], "writable" in found["act"]) == (False, False)
    assert found["error"].startswith("STATIC_ROOT is not set")


def test_a_line_that_does_not_help_gives_way_to_the_next(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that read no variable for their database are told it; what came before for other causes stays."""
    text = "DATABASES = [os.environ.get('DB_NAME'), os.environ.get('DB_ENGINE')]"
    monkeypatch.setitem(FILES, "kittens/settings.py", text)
    refused = ("migrate", 'connection to server at "db", port 5432 failed: Connection refused')
    missing = ("settings", "KeyError: 'THEME'")
    found, _managers = rehearse(stage, monkeypatch, refused, missing, refused, None)
    assert found["plays"]
    assert found["act"]["env"] == {"THEME": cures.PLACEHOLDER}
    assert "DATABASES = " in found["act"]["files"][0]["content"]
    (said,) = found["tried"]
    assert said.startswith('database: {"engine": "sqlite"}; env: {"DB_NAME": "{database}", "DB_ENGINE": "django.db')


def test_what_can_not_be_cured_while_it_plays_is_missing(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _managers = rehearse(stage, monkeypatch, None, None, record={"debug": True})
    assert (found["plays"], found["missing"]) == (True, [rehearsals.DEBUG_ON])
    assert found["tried"] == ["DEBUG = False: it did not help, and was removed"]
    assert "files" not in found["act"]


def test_debian_packages_are_named(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _managers = rehearse(
        stage,
        monkeypatch,
        ("environment", "Failed to build `psycopg2==2.9`\nError: pg_config executable not found."),
        ("packages", "Debian packages are missing on this host: gcc; backstage.django.site installs them"),
    )
    assert found["act"]["packages"] == ["gcc", "libpq-dev", "python3-dev"]
    assert found["missing"][-1] == (
        """rehearse again with -e '{"lines": {"packages": ["gcc", "libpq-dev", "python3-dev"]}}'"""
    )


def test_a_package_that_nobody_knows(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _managers = rehearse(
        stage, monkeypatch, ("environment", "x.c:1:1: fatal error: x/y.h: No such file or directory")
    )
    assert "packages" not in found["act"]
