# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half of a rehearsal: a directory becomes an Act, and its source is shipped."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import survey
from ansible_collections.backstage.django.plugins.plugin_utils import printing, rehearsing

from ..manifests import VENUE, Item, act
from ..told import told
from .test_controller import Action, variables

FOUND: Item = {
    "plays": True,
    "act": {"name": "my-kittens"},
    "because": {},
    "lacking": [],
    "found": {},
    "tried": [],
    "missing": [],
    "log": "",
    "applied": [],
    "pending": [],
    "unwritten": [],
    "warnings_of_django": [],
    "plan": [],
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(printing, "Display", lambda: SimpleNamespace(display=texts.append))
    return texts


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "2 My Kittens!"
    path.mkdir()
    (path / "manage.py").write_text("")
    return path


def run(action: Any, inventory: Path, **options: Any) -> Item:
    return rehearsing.run(action, options, variables(inventory))


def test_a_directory(project: Path, tmp_path: Path, shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named from where Ansible was started, and what is asked of the host is an Act with a Venue."""
    monkeypatch.chdir(tmp_path)
    action = Action(FOUND)
    result = run(action, tmp_path / "inventory", path="2 My Kittens!", lines={"env": {"A": "b"}}, show=True)
    (asked,) = action.asked
    assert asked["acts"] == [{"env": {"A": "b"}, "name": "my-kittens", "source": {"path": str(project)}}]
    assert (asked["act"], asked["production"]) == ("my-kittens", rehearsing.TRYOUT)
    assert asked["venues"] == [{"name": "my-kittens.example.com"}]
    assert asked["gigs"] == [{"act": "my-kittens", "venue": "my-kittens.example.com"}]
    assert "show" not in asked
    assert len(action.sent) == 1
    (tmp_path / "archive").write_bytes(next(iter(action.sent.values())))
    assert survey.Survey.read(str(tmp_path / "archive")).names == ["manage.py"]
    assert result["manifest"]["backstage_acts"] == [{"name": "my-kittens"}]
    assert shown == [result["stdout"]]


@pytest.mark.parametrize(
    ("directory", "name"),
    [("Kittens", "kittens"), ("kittens_2", "kittens-2"), ("9-lives", "lives"), ("...", "act"), ("k" * 50, "k" * 32)],
)
def test_the_name_of_a_directory(tmp_path: Path, directory: str, name: str) -> None:
    found = rehearsing.of_directory({"path": str(tmp_path / directory), "venue": None, "lines": {}})
    assert (found["act"], found["venues"]) == (name, [{"name": f"{name}.example.com"}])


def test_a_venue_and_a_subdirectory(project: Path) -> None:
    given = {"path": str(project), "venue": VENUE, "lines": {"source": {"subdir": "site"}}}
    found = rehearsing.of_directory(given)
    assert found["gigs"] == [{"act": "my-kittens", "venue": VENUE}]
    assert found["acts"][0]["source"] == {"subdir": "site", "path": str(project)}


def test_an_act_of_the_manifest(tmp_path: Path, shown: list[str]) -> None:
    inventory = tmp_path / "inventory"
    (inventory / "kittens").mkdir(parents=True)
    (inventory / "kittens" / "manage.py").write_text("")
    (inventory / "local.py").write_text("DEBUG = False\n")
    files = [{"path": "local.py", "src": "local.py"}]
    action = Action({**FOUND, "act": {"name": "kittens"}})
    given = {"acts": [act(files=files), act(name="dogs", source={"path": "dogs"})], "production": "cats"}
    result = run(action, inventory, act="kittens", **given)
    (asked,) = action.asked
    assert asked["acts"][0]["files"] == [{"path": "local.py", "content": "DEBUG = False\n"}]
    assert [*asked["resolved"]] == [*asked["shipped"]] == ["kittens"], "the others' sources are not asked for"
    assert "A deploy would change nothing." in result["stdout"]
    assert shown == []


def test_check_mode_touches_no_host(project: Path, tmp_path: Path, shown: list[str]) -> None:
    action = Action(check_mode=True)
    assert run(action, tmp_path, path=str(project), show=True) == {"changed": False, "note": rehearsing.CHECK}
    assert (action.asked, action.sent) == ([], {})
    assert shown == [rehearsing.CHECK]


def test_a_host_that_could_not_rehearse(project: Path, tmp_path: Path, shown: list[str]) -> None:
    said = {"failed": True, "msg": "stage on web1: this host has no stage"}
    assert run(Action(said), tmp_path, path=str(project), show=True) == said
    assert shown == []


REFUSED: list[tuple[Item, str]] = [
    ({}, "give exactly one of path and act"),
    ({"path": "kittens", "act": "kittens"}, "give exactly one of path and act"),
    ({"act": "kittens"}, "production: is missing"),
    (
        {"act": "dogs", "production": "cats", "acts": [act()]},
        "act: 'dogs' is no Act of this Production; known: kittens",
    ),
    (
        {"act": "kittens", "production": "cats", "acts": [{"name": "kittens", "state": "absent"}]},
        "act: 'kittens' is no Act of this Production; known: none",
    ),
    ({"act": "kittens", "production": "cats", "acts": [act()], "lines": {"chdir": "x"}}, "lines: they are for 'path'"),
    ({"path": "nowhere"}, "there is no directory"),
    ({"path": ".", "venue": "No Name"}, "backstage_venues[No Name]"),
    ({"path": ".", "lines": {"timeout": 0}}, "timeout"),
    ({"path": ".", "lines": {"purr": 0}}, "unknown key purr"),
    ({"path": ".", "sauce": 1}, "sauce: unknown option"),
]


@pytest.mark.parametrize(("options", "why"), REFUSED)
def test_refused_before_the_host_is_asked(tmp_path: Path, options: Item, why: str) -> None:
    action = Action()
    assert why in told(run, action, tmp_path, **options)
    assert action.asked == []
