# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real Django tells of an Act that could play: migrations, warnings and pages, and nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ... import projects
from ...projects import Make, settings

URLS = """
from django.urls import include, path, re_path
def page(request, **_): pass
below = [path("", page), path("<int:pk>/", page), path("list/", page)]
urlpatterns = [
    path("admin/", include([path("", page), path("login/", page)])),
    path("cats/", include(below)),
    re_path(r"^old/$", page),
    re_path(r"^old/(\\d+)/$", page),
    re_path(r"^a|b$", page),
    path("logout/", page),
    path("cats/list/", page),
    path("<slug:name>/", include(below)),
]
"""
MODELS = projects.MODELS + "    age = models.IntegerField(default=0)\n"


def look(made: projects.Project, applied: Any = None) -> dict[str, Any]:
    return made.run("look", applied=applied)


def test_pages(project: Make) -> None:
    """Those that need no argument, in their order; what ends a session or belongs to the admin is not asked first."""
    made = project(kittens___urls__py=URLS)
    assert look(made)["pages"] == ["/cats/", "/cats/list/", "/old/", "/admin/", "/admin/login/"]


def test_warnings(project: Make) -> None:
    found = look(project(kittens___settings__py=settings('SILENCED_SYSTEM_CHECKS = ["security.W004"]')))["warnings"]
    names = [line.partition(":")[0] for line in found]
    assert names == sorted(names)
    assert {"security.W009", "models.W042"} <= {*names}
    assert "security.W004" not in names
    assert all(line.count(". ") == 0 for line in found), "the first sentence says what it is"


def test_changes_that_no_migration_has(project: Make) -> None:
    made = project(kittens___settings__py=settings('DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"'))
    assert look(made)["unwritten"] == []
    (made.code / "cats" / "models.py").write_text(MODELS)
    assert look(made)["unwritten"] == ["cats"]


def test_what_is_pending(project: Make) -> None:
    second = projects.EMPTY.format(before="0001_initial")
    made = project(cats___migrations___0002_second__py=second)
    assert made.run("applied")["applied"] == []
    everything = look(made)["pending"]
    assert everything[-2:] == ["cats.0001_initial", "cats.0002_second"]
    made.run("migrate", database=None, patience=10)
    assert look(made)["pending"] == []
    applied = made.run("applied")["applied"]
    assert ["cats", "0002_second"] in applied
    # as another database has them: nothing is asked of this one
    assert look(made, [name for name in applied if name != ["cats", "0002_second"]])["pending"] == ["cats.0002_second"]
    assert look(made, [])["pending"] == everything


def test_nothing_is_changed(project: Make, place: Path) -> None:
    made = project(cats___models__py=MODELS)
    look(made)
    made.run("applied")
    files = [path for path in (place / "data").rglob("*") if path.is_file() and path.stat().st_size]
    assert files == []
    assert sorted(path.name for path in (made.code / "cats" / "migrations").glob("*.py")) == [
        "0001_initial.py",
        "__init__.py",
    ]


@pytest.mark.parametrize("mode", ["look", "applied"])
def test_an_act_without_a_database(project: Make, mode: str) -> None:
    made = project(kittens___settings__py=settings("DATABASES = {}", without="DATABASES"))
    found = made.run(mode, applied=None)
    assert found.get("pending", found.get("applied")) == []
