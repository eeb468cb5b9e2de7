# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings a project plays with, where its programs name none or those of development."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import settings_cures

from .test_cures import MANAGE, PROJECT, case, cured

CLASSES = """
from configurations import Configuration
class Base(Configuration): ...
class Dev(Base): ...
class Production(Base): ...
"""


def test_settings_that_are_classes() -> None:
    made = case(files={**PROJECT, "kittens/settings.py": CLASSES})
    assert cured("debug", made) == {"env": {"DJANGO_CONFIGURATION": "Production"}}
    assert made.draft.overrides == {}


CANDIDATES: list[tuple[list[str], str]] = [
    # (files, the settings)
    (["site1/settings/base.py", "site1/settings/dev.py", "site1/settings/production.py"], "site1.settings.production"),
    (["config/base.py", "config/production.example.py", "config/urls.py"], "config.base"),
    (["site1/settings_local.py", "site1/settings_common.py"], "site1.settings_common"),
]


@pytest.mark.parametrize(("names", "module"), CANDIDATES)
def test_of_several_settings_that_nobody_names(names: list[str], module: str) -> None:
    made = case(files={"manage.py": "", **dict.fromkeys(names, "")})
    assert cured("settings not named", made) == {"settings": module}
    (said,) = made.draft.because["settings"]
    assert all(name.removesuffix(".py").replace("/", ".") in said for name in names if name.endswith("dev.py"))


EXAMPLES = [
    # (example, the module that is missing, what it is to become)
    ("site1/local_settings.py.example", "site1.local_settings", "site1/local_settings.py"),
    ("site1/settings/production.example.py", "site1.settings.production", "site1/settings/production.py"),
    ("site1/settings_sample.py", "site1.settings", "site1/settings.py"),
]


@pytest.mark.parametrize(("example", "module", "name"), EXAMPLES)
def test_settings_of_which_there_is_an_example(example: str, module: str, name: str) -> None:
    made = case(module, files={"manage.py": MANAGE.format(module), example: ""})
    assert cured("settings module not found", made) == {}
    assert made.draft.wishes == [
        f"'{example}' is an example of settings: copy it to '{name}', or write that into 'files'"
    ]


COPIES = [
    # (cause, example, the module that is missing, what it is to become)
    ("settings module not found", "site1/local_settings.py.example", "site1.local_settings", "site1/local_settings.py"),
    ("own module missing", "site1/configuration.example.py", "site1.configuration", "site1/configuration.py"),
    ("missing module", "conf/site.py.dist", "site", "conf/site.py"),
]


@pytest.mark.parametrize(("cause", "example", "module", "name"), COPIES)
def test_a_module_of_which_there_is_an_example(cause: str, example: str, module: str, name: str) -> None:
    """It is copied, so that the rehearsal goes on; what people have to write there is said."""
    made = case(module, files={"manage.py": MANAGE.format("site1.settings"), example: "DEBUG = False\n"})
    assert cured(cause, made) == {"files": [{"path": name, "content": "DEBUG = False\n"}]}
    assert made.draft.wishes == [f"'{name}' is a copy of '{example}', with its examples: write your own values there"]
    before = made.draft.state()
    settings_cures.copy_example(made)
    assert made.draft.state() == before


def test_an_example_of_another_module_is_left_alone() -> None:
    made = case("elsewhere", files={"manage.py": "", "site1/configuration.example.py": "A = 1\n"})
    settings_cures.copy_example(made)
    assert made.draft.item.get("files") is None


def test_a_package_of_settings_that_imports_those_of_development() -> None:
    files = {
        "manage.py": MANAGE.format("kittens.settings"),
        "kittens/settings/__init__.py": "from .dev import *\n",
        "kittens/settings/dev.py": "",
        "kittens/settings/production.py": "",
    }
    assert cured("debug", case(files=files)) == {"settings": "kittens.settings.production"}
