# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act of the manifest that is being written, and the settings module that is laid over a project's own."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest
from ansible_collections.backstage.django.plugins.module_utils.rehearsals.draft import Draft
from ansible_collections.backstage.django.plugins.module_utils.rehearsals.survey import Survey

NAMES = ["manage.py", "kittens/settings.py", "kittens/urls.py"]
WHY = "it was needed"


def draft(**item: Any) -> Draft:
    texts = {"manage.py": 'setdefault("DJANGO_SETTINGS_MODULE", "kittens.settings")'}
    return Draft({"name": "kittens", "source": {"path": "/kittens"}, **item}, Survey(NAMES, texts))


def test_lines_and_their_reasons() -> None:
    made = draft(writable=["a"])
    made.set("chdir", "site", WHY)
    made.set("source.subdir", "src", "one")
    made.set("source.subdir", "lib", "two")
    made.add("writable", ["a"], "it is there already")
    made.add("writable", ["a", "b"], WHY)
    made.give("THEME", "tabby", WHY)
    made.give("COLOUR", "red", WHY)
    assert made.item == {
        "name": "kittens",
        "source": {"path": "/kittens", "subdir": "lib"},
        "chdir": "site",
        "writable": ["a", "b"],
        "env": {"THEME": "tabby", "COLOUR": "red"},
    }
    assert made.because == {"chdir": [WHY], "source": ["one", "two"], "writable": [WHY], "env": [WHY]}
    assert (made.subdir, made.directory) == ("lib", "lib/site")


def test_secrets_are_named_where_a_vault_has_them() -> None:
    made = draft(seed=[{"name": "admin", "run": "createsuperuser", "secrets": {"PASSWORD": "purr-purr-purr"}}])
    made.keep_secret("API_KEY", WHY)
    value = made.item["secrets"]["API_KEY"]
    made.keep_secret("API_KEY", "another time")
    assert len(value) > 50
    assert made.laid()["secrets"] == {"API_KEY": value}
    written = made.written()
    assert written["secrets"] == {"API_KEY": "{{ vault_kittens_api_key }}"}
    assert written["seed"][0]["secrets"] == {"PASSWORD": "{{ vault_kittens_password }}"}
    assert (value in str(written), "purr-purr-purr" in str(written)) == (False, False)
    assert made.because == {"secrets": [WHY]}


def test_a_setting_that_is_there_already_keeps_its_reason() -> None:
    """Else the same line would look like another one, and be tried again."""
    made = draft()
    made.override("DEBUG", "DEBUG = False", WHY)
    before = made.state()
    made.override("DEBUG", "DEBUG = False", "for another reason")
    assert made.state() == before
    made.override("DEBUG", "DEBUG = 0", "for another reason")
    assert made.overrides == {"DEBUG": ("DEBUG = 0", "for another reason")}


def test_what_is_asked_for_is_asked_once() -> None:
    made = draft()
    for name in ("A", "B", "A"):
        made.ask_for(name)
    assert made.asked == ["A", "B"]


def test_settings_are_laid_over_theirs() -> None:
    made = draft()
    assert made.laid() == made.item
    made.override("DEBUG", "DEBUG = False", "one")
    made.override("STATIC_ROOT", 'STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]', "two")
    made.override("DEBUG", "DEBUG = 0", "three")
    item = made.laid()
    assert item["settings"] == "kittens.stage"
    assert item["files"] == [
        {
            "path": "kittens/stage.py",
            "content": "import os\n\nfrom kittens.settings import *\n\n# three\nDEBUG = 0\n"
            '\n# two\nSTATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]\n',
        }
    ]
    compile(item["files"][0]["content"], "stage.py", "exec")
    assert "settings" not in made.item
    made.written()
    assert made.because["settings"] == ["a file below that overrides kittens.settings"]


PLACES: list[tuple[list[str], str, dict[str, Any], str, str]] = [
    # (files, their settings, the Act, the module, its file from the source's subdir)
    (["kittens/settings.py"], "kittens.settings", {}, "kittens.stage", "kittens/stage.py"),
    (
        ["kittens/settings.py", "kittens/stage.py"],
        "kittens.settings",
        {},
        "kittens.backstage_stage",
        "kittens/backstage_stage.py",
    ),
    (
        ["kittens/settings.py", "kittens/stage.py", "kittens/backstage_stage.py"],
        "kittens.settings",
        {},
        "kittens.backstage_stage2",
        "kittens/backstage_stage2.py",
    ),
    (["kittens/settings/dev.py"], "kittens.settings.dev", {}, "kittens.settings.stage", "kittens/settings/stage.py"),
    (["kittens/settings/__init__.py"], "kittens.settings", {}, "kittens.stage", "kittens/stage.py"),
    (["settings.py"], "settings", {}, "stage_settings", "stage_settings.py"),
    (
        ["src/site/kittens/settings.py"],
        "kittens.settings",
        {"source": {"path": "/kittens", "subdir": "src"}, "chdir": "site"},
        "kittens.stage",
        "site/kittens/stage.py",
    ),
    (
        [],
        "revue.settings",
        {"source": {"package": "revue==1"}, "chdir": "site"},
        "stage_settings",
        "site/stage_settings.py",
    ),
]


@pytest.mark.parametrize(("names", "theirs", "item", "module", "file"), PLACES)
def test_where_they_lie(names: list[str], theirs: str, item: dict[str, Any], module: str, file: str) -> None:
    made = Draft({"name": "kittens", "settings": theirs, **item}, Survey(names))
    made.override("DEBUG", "DEBUG = False", WHY)
    laid = made.laid()
    assert (laid["settings"], laid["files"][0]["path"]) == (module, file)
    assert "env" not in laid


def test_a_console_script_has_to_be_told_where_modules_are() -> None:
    made = draft(manage="kittens-admin", chdir="site", env={"THEME": "tabby"}, settings="kittens.settings")
    made.override("DEBUG", "DEBUG = False", WHY)
    assert made.laid()["env"] == {"THEME": "tabby", "PYTHONPATH": "{code}/site"}


def test_without_settings_nothing_is_laid_over_them() -> None:
    made = Draft({"name": "kittens"}, Survey([]))
    made.override("DEBUG", "DEBUG = False", WHY)
    assert made.laid() == made.item


def test_a_manifest_is_made_of_it() -> None:
    made = draft()
    made.override("DEBUG", "DEBUG = False", WHY)
    made.keep_secret("SECRET_KEY", WHY)
    made.set("health.path", "/admin/", WHY)
    item = yaml.safe_load(yaml.safe_dump(made.laid()))
    act = manifest.parse({"production": "jazz", "acts": [item]}).acts["kittens"]
    assert (act.settings, act.health.path, [file.path for file in act.files]) == (
        "kittens.stage",
        "/admin/",
        ["kittens/stage.py"],
    )


def test_what_was_written_is_taken_back_and_what_came_since_stays() -> None:
    made = draft(writable=["a"])
    before = made.state()
    made.give("THEME", "tabby", WHY)
    made.add("writable", ["b"], WHY)
    made.set("settings", "kittens.other", WHY)
    made.override("DEBUG", "DEBUG = False", WHY)
    made.ask_for("THEME")
    made.wish("a wish")
    after = made.state()
    made.give("COLOUR", "red", "since")
    made.add("writable", ["c"], "since")
    made.override("STATIC_ROOT", "STATIC_ROOT = 1", "since")
    made.take_back(before, after)
    assert made.item == {
        "name": "kittens",
        "source": {"path": "/kittens"},
        "writable": ["a", "c"],
        "env": {"COLOUR": "red"},
    }
    assert made.because == {"env": ["since"], "writable": ["since"]}
    assert (made.asked, made.wishes, [*made.overrides]) == ([], [], ["STATIC_ROOT"])
    made.take_back(made.state(), made.state())
    assert made.item["writable"] == ["a", "c"]


def test_settings_that_are_classes_are_laid_over_by_one() -> None:
    """django-configurations reads attributes of a class: what stands beside it is read by nobody."""
    classes = "from configurations import Configuration\nclass Dev(Configuration): ...\nclass Prod(Dev): ...\n"
    texts = {"manage.py": 'setdefault("DJANGO_SETTINGS_MODULE", "kittens.settings")', "kittens/settings.py": classes}
    made = Draft({"name": "kittens", "source": {"path": "/kittens"}}, Survey(NAMES, texts))
    made.override("DEBUG", "DEBUG = False", WHY)
    laid = made.laid()
    assert (laid["settings"], laid["env"]) == ("kittens.stage", {"DJANGO_CONFIGURATION": "Stage"})
    assert laid["files"][0]["content"].endswith(f"\nclass Stage(Prod):\n    # {WHY}\n    DEBUG = False\n")
    compile(laid["files"][0]["content"], "stage.py", "exec")
    made.written()
    assert made.because["env"] == ["its class overrides Prod"]
    made.give("DJANGO_CONFIGURATION", "Dev", WHY)
    assert "class Stage(Dev)" in made.laid()["files"][0]["content"]
