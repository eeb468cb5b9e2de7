# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source holds, from its archive alone."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.rehearsals.survey import Survey

MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}")\nexecute_from_command_line(sys.argv)\n'
WSGI = 'os.environ["DJANGO_SETTINGS_MODULE"] = "{}"\n\napplication = get_wsgi_application()\n'


def survey(**texts: str) -> Survey:
    """Two underscores stand for the dot, three for a slash."""
    named = {name.replace("___", "/").replace("__", "."): text for name, text in texts.items()}
    return Survey(sorted(named, key=lambda name: (name.count("/"), name)), named)


def archive(path: Path, **texts: str) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in texts.items():
            member = tarfile.TarInfo("./" + name.replace("___", "/").replace("__", "."))
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "manage.py"
        tar.addfile(link)
    return str(path)


def test_an_archive(tmp_path: Path) -> None:
    """Names of all files, and the texts of those that tell something: no other source is kept in memory."""
    cli = "from django.core.management import execute_from_command_line"
    path = archive(
        tmp_path / "a.tar.gz",
        site___manage__py=MANAGE.format("kittens.settings"),
        requirements__txt="Django\n",
        kittens___views__py="x = 1\n",
        kittens___cli__py=cli,
        kittens___settings___base__py="DEBUG = False\n",
        picture__png="\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
        node_modules___a___manage__py="no",
    )
    found = Survey.read(path)
    assert found.names[:2] == ["picture.png", "requirements.txt"]
    assert not {"link.py", "node_modules/a/manage.py"} & {*found.names}
    assert {*found.texts} == {
        "site/manage.py",
        "requirements.txt",
        "kittens/cli.py",
        "kittens/settings/base.py",
    }
    assert found.texts["kittens/cli.py"] == cli


def test_programs() -> None:
    found = survey(
        kittens___cli__py="ManagementUtility(sys.argv)", b___manage__py="", a___b___manage__py="", kittens___x__py=""
    )
    assert found.programs() == ["b/manage.py", "a/b/manage.py", "kittens/cli.py"]


SETTINGS: list[tuple[dict[str, str], str, str]] = [
    # (files, working directory, the settings module)
    ({"manage__py": MANAGE.format("kittens.settings.dev")}, ".", "kittens.settings.dev"),
    ({"manage__py": "x", "kittens___wsgi__py": WSGI.format("kittens.live")}, ".", "kittens.live"),
    ({"a___manage__py": MANAGE.format("a.one"), "b___manage__py": MANAGE.format("b.two")}, "b", "b.two"),
    ({"site___kittens___settings__py": "DEBUG = True"}, "site", "kittens.settings"),
    ({"kittens___settings__py": "DEBUG = True"}, ".", "kittens.settings"),
    ({"kittens___urls__py": ""}, ".", ""),
]


@pytest.mark.parametrize(("files", "directory", "module"), SETTINGS)
def test_settings(files: dict[str, str], directory: str, module: str) -> None:
    assert survey(**files).settings(directory) == module


PRODUCTION = [
    ("kittens.settings.dev", ["kittens/settings/production.py"], "kittens.settings.production"),
    ("kittens.settings.local", ["kittens/settings/prod.py"], "kittens.settings.prod"),
    ("local", ["production.py"], "production"),
    ("kittens.settings.dev", ["kittens/settings/base.py"], ""),
    ("kittens.settings", ["kittens/production.py"], ""),
    ("kittens.settings.devel", ["kittens/settings/product.py"], "kittens.settings.product"),
]


@pytest.mark.parametrize(("module", "names", "production"), PRODUCTION)
def test_settings_of_production(module: str, names: list[str], production: str) -> None:
    assert Survey(names).settings_of_production(module, ".") == production


def test_settings_that_only_the_wsgi_module_names() -> None:
    """What manage.py names is for who types commands; what is served has settings of its own."""
    named = {"manage__py": MANAGE.format("kittens.one"), "kittens___wsgi__py": WSGI.format("kittens.two")}
    found = survey(**named, kittens___one__py="", kittens___two__py="")
    assert found.settings(".") == "kittens.one"
    assert found.settings_of_production("kittens.one", ".") == "kittens.two"
    assert found.settings_of_production("kittens.two", ".") == ""
    assert survey(**named, kittens___one__py="").settings_of_production("kittens.one", ".") == ""


MODULES = [
    ("kittens.settings", ["kittens/settings.py"], ".", "kittens/settings.py"),
    ("kittens.settings", ["src/kittens/settings/__init__.py"], "src", "src/kittens/settings/__init__.py"),
    ("kittens.settings", ["other/kittens/settings.py", "site/kittens/settings.py"], "site", "site/kittens/settings.py"),
    ("settings", ["presettings.py"], ".", None),
    ("kittens.settings", ["my-kittens/settings.py"], ".", None),
]


@pytest.mark.parametrize(("module", "names", "directory", "file"), MODULES)
def test_module(module: str, names: list[str], directory: str, file: str) -> None:
    assert Survey(names).module(module, directory) == file


def test_application() -> None:
    one, two = WSGI.format("a"), WSGI.format("b").replace("application =", "app =")
    found = survey(site___kittens___wsgi__py=one, other___wsgi__py=two, empty___wsgi__py="")
    assert found.application("site") == "kittens.wsgi:application"
    assert found.application(".") == "other.wsgi:app"
    assert survey(kittens___asgi__py=one).application(".") == ""


FILES = [
    # (names, directory, what looks like requirements, the likeliest first)
    (
        ["requirements/dev.txt", "requirements/base.txt", "requirements/production.txt"],
        "",
        ["requirements/production.txt", "requirements/base.txt", "requirements/dev.txt"],
    ),
    (
        ["requirements-test.txt", "requirements-prod.txt", "requirements.txt"],
        "",
        ["requirements-prod.txt", "requirements.txt", "requirements-test.txt"],
    ),
    (["site/requirements/base.txt", "README.txt", "docs/requirements.txt"], "site", ["requirements/base.txt"]),
    (["dev-requirements.txt", "my_requirements.txt"], "", ["my_requirements.txt", "dev-requirements.txt"]),
    (["robots.txt", "LICENSE.txt"], "", []),
]


@pytest.mark.parametrize(("names", "directory", "found"), FILES)
def test_requirement_files(names: list[str], directory: str, found: list[str]) -> None:
    assert Survey(names).requirement_files(directory) == found


def test_where_packages_are_named() -> None:
    found = Survey(["pyproject.toml", "requirements.txt", "site/uv.lock"])
    assert found.packages_are_named_in(".") == ["requirements.txt"]
    assert found.packages_are_named_in("site") == ["uv.lock"]
    assert found.packages_are_named_in("docs") == []


@pytest.mark.parametrize(("text", "found"), [("[tool.ruff]\n", []), ("[project]\n", ["pyproject.toml"])])
def test_a_pyproject_that_names_no_packages(text: str, found: list[str]) -> None:
    assert Survey(["pyproject.toml"], {"pyproject.toml": text}).packages_are_named_in(".") == found


NEEDS = [
    ("requirements.txt", "Django\npsycopg[binary]==3.2\n", True),
    ("requirements.txt", "psycopg2-binary\n", True),
    ("pyproject.toml", 'dependencies = [\n  "Django",\n  "psycopg>=3",\n]\n', True),
    ("uv.lock", '[[package]]\nname = "psycopg"\n', True),
    ("requirements.txt", "not-psycopg\n", False),
    ("settings.py", "import psycopg\n", False),
]


@pytest.mark.parametrize(("name", "text", "needs"), NEEDS)
def test_needs(name: str, text: str, needs: bool) -> None:
    assert Survey([name], {name: text}).needs("psycopg2?") is needs


def test_generated_by() -> None:
    text = '"""\nGenerated by \'django-admin startproject\' using Django 5.2.15.\n"""'
    assert survey(kittens___settings__py=text).generated_by() == "5.2.15"
    assert survey(kittens___settings__py="").generated_by() == ""
