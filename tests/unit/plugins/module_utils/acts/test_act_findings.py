# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real Django's own Python finds for people: replaced variables, keys, messages, apps and databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ... import projects
from ...projects import EMPTY, FIRST, Make, Text, settings

KEY = "SECRET_KEY = os.environ['SECRET_KEY']"
IN_CODE = "for everybody who can read the source: give it in 'secrets', and have the settings read it from os.environ"
OVERRIDES = (
    "overrides {}, which the manifest gives: have it keep a variable that is there already (load_dotenv without"
    " override=True)"
)
DOTENV = """
import os
for line in open(os.path.dirname(os.path.dirname(__file__)) + "/.env"):
    name, _, value = line.strip().removeprefix("export ").partition("=")
    os.environ[name] = value
"""


def told(project: Make, mode: str = "build", env: dict[str, str] | None = None, **texts: Text) -> list[str]:
    made = project(**texts)
    made.env["SECRET_KEY"] = "given-by-the-manifest"
    made.env.update(env or {})
    found: list[str] = made.run(mode, applied=None, given=["SECRET_KEY", "THEME"])["told"]
    return found


@pytest.mark.parametrize("mode", ["build", "look"])
def test_a_file_of_the_source_beats_the_manifest(project: Make, mode: str) -> None:
    """Of every variable that it replaces the name is told, and no value."""
    texts = {
        "kittens___settings__py": settings(DOTENV + KEY, "SECRET_KEY"),
        "__env": "SECRET_KEY=of-a-laptop-0123456789\nexport THEME=dark\nOTHER=1\n",
    }
    said = told(project, mode, {"THEME": "light"}, **texts)
    assert said == [
        "the source's .env " + OVERRIDES.format("SECRET_KEY"),
        "the source's .env " + OVERRIDES.format("THEME"),
        f"SECRET_KEY stands in .env, {IN_CODE}",
    ]


KEYS: list[tuple[str, Text, list[str]]] = [
    # (settings, another file of the source, what is told)
    (KEY, None, []),
    ("SECRET_KEY = 'written-0123456789'", None, [f"SECRET_KEY stands in kittens/settings.py, {IN_CODE}"]),
    (
        "SECRET_KEY = open(BASE / 'config.ini').read()[6:].strip()",
        "key = written-0123456789\n",
        [f"SECRET_KEY stands in config.ini, {IN_CODE}"],
    ),
    (
        "from django.core.management.utils import get_random_secret_key as new\nSECRET_KEY = new()",
        None,
        [
            "SECRET_KEY is made anew at each start, which logs everybody out: give it in 'secrets', and have the"
            " settings read it from os.environ"
        ],
    ),
    ("import hashlib\nSECRET_KEY = hashlib.sha256(b'made of something').hexdigest()", None, []),
]


@pytest.mark.parametrize(("lines", "other", "sentences"), KEYS)
def test_where_the_key_comes_from(project: Make, lines: str, other: Text, sentences: list[str]) -> None:
    assert told(project, kittens___settings__py=settings(lines, "SECRET_KEY"), config__ini=other) == sentences


def test_messages_that_nobody_compiled(project: Make) -> None:
    owned: dict[str, Text] = {"kittens___settings__py": settings(KEY, "SECRET_KEY")}
    po = "locale___{}___LC_MESSAGES___django__{}"
    texts = {po.format("de", "po"): "x", po.format("fr", "po"): "x", po.format("fr", "mo"): "x"}
    (said,) = told(project, **owned, **texts)
    assert said == (
        "locale/de/LC_MESSAGES/django.po has no .mo file, so Django shows nothing of it: add 'compilemessages' to"
        " 'after_static', and gettext to 'packages'"
    )


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n"


def test_files_that_git_lfs_keeps_elsewhere(project: Make) -> None:
    texts = {f"cats___static___{name}__png": POINTER for name in "abcde"}
    said = told(project, kittens___settings__py=settings(KEY, "SECRET_KEY"), README__md="about\n" + POINTER, **texts)
    assert said == [
        "5 files are pointers of git-lfs, and not what they stand for (cats/static/a.png, cats/static/b.png,"
        " cats/static/c.png ...): give a 'path' source of a checkout that git-lfs has filled"
    ]


MODULES = '[submodule "lib"]\n\tpath = lib\n\turl = ../lib\n[submodule "docs"]\n\tpath = themes/docs\n\turl = ../docs\n'


@pytest.mark.parametrize("missing", ["lib.billing", "nonesuch"])
def test_a_submodule_that_was_not_fetched(project: Make, missing: str) -> None:
    made = project(__gitmodules=MODULES, kittens___urls__py=f"import {missing}\n", themes___docs___a="")
    (made.code / "lib").mkdir()
    failure = made.failure("build")
    assert failure.message == (
        f"the module '{missing}' is missing, and so are the files of the submodule 'lib': write 'submodules: true' into"
        " the source, or add the module's package to the requirements"
    )


def test_submodules_that_were_fetched(project: Make) -> None:
    texts = {"lib___a": "", "themes___docs___a": "", "kittens___urls__py": "import nonesuch\n"}
    failure = project(__gitmodules=MODULES, **texts).failure("build")
    assert failure.message == "the module 'nonesuch' is missing: add its package to the requirements"


WITHOUT: list[tuple[dict[str, Text], str, bool]] = [
    # (files, settings, whether its tables are never made)
    ({"cats___migrations___0001_initial__py": None, "cats___migrations____init____py": None}, "", True),
    ({"cats___migrations___0001_initial__py": None}, "", True),
    ({}, "", False),
    ({"kittens___moved___0001_initial__py": FIRST}, "MIGRATION_MODULES = {'cats': 'kittens.moved'}", False),
    # said of purpose, as for tests
    ({}, "MIGRATION_MODULES = {'cats': None}", False),
]


@pytest.mark.parametrize(("files", "more", "tableless"), WITHOUT)
def test_models_without_migrations(project: Make, files: dict[str, Text], more: str, tableless: bool) -> None:
    said = told(project, kittens___settings__py=settings(f"{KEY}\n{more}", "SECRET_KEY"), **files)
    sentence = (
        "the app 'cats' has models and no migrations, so it has no tables: run makemigrations, take its migrations"
        " out of .gitignore, and commit them"
    )
    assert said == [sentence] * tableless


LOG = """
LOGGING = {"version": 1, "handlers": {
    "turning": {"class": "logging.handlers.RotatingFileHandler", "filename": BASE / "app.log", "maxBytes": 2000},
    "daily": {"class": "logging.handlers.TimedRotatingFileHandler", "filename": BASE / "logs" / "daily.log"},
    "data": {"class": "logging.handlers.RotatingFileHandler", "filename": os.environ["BACKSTAGE_DATA"] + "/a.log"},
    "plain": {"class": "logging.FileHandler", "filename": BASE / "plain.log"}},
    "root": {"handlers": ["turning", "data", "plain"]}, "loggers": {"cats": {"handlers": ["daily"]}}}
"""


def test_log_files_that_are_renamed(project: Make) -> None:
    made = project(kittens___settings__py=settings(LOG), logs___keep="")
    assert made.run("build")["rotating"] == ["app.log", "logs/daily.log"]


def test_private_uploads(project: Make, place: Path) -> None:
    """The project serves them itself; that nginx does not is said."""
    lines = f"{KEY}\nMEDIA_URL = '/media/'; MEDIA_ROOT = os.environ['BACKSTAGE_DATA'] + '/private'"
    said = told(project, kittens___settings__py=settings(lines, "SECRET_KEY"))
    assert said == [
        "MEDIA_ROOT lies in BACKSTAGE_DATA, where nginx serves nothing: the project answers at MEDIA_URL itself, or"
        " sets MEDIA_ROOT to os.environ['BACKSTAGE_MEDIA_ROOT']"
    ]


def test_the_builders_own_place_for_uploads_is_no_private_one(project: Make) -> None:
    """It lies in BACKSTAGE_DATA while a release is built (world.Places.of_builder)."""
    lines = "MEDIA_URL = '/media/'; MEDIA_ROOT = os.environ['BACKSTAGE_MEDIA_ROOT']"
    made = project(kittens___settings__py=settings(lines))
    made.env["BACKSTAGE_MEDIA_ROOT"] = made.env["BACKSTAGE_DATA"] + "/.backstage-media"
    assert [line for line in made.run("build")["told"] if "MEDIA_ROOT" in line] == []


FORM = "from cats.models import Cat\nNAMES = [cat.name for cat in Cat.objects.all()]\nurlpatterns = []\n"


def test_a_query_while_modules_are_imported(project: Make) -> None:
    failure = project(kittens___urls__py=FORM).failure("build")
    assert (failure.step, failure.message) == (
        "check",
        "the database is asked while the project is loaded, at kittens/urls.py:2, where it may be empty: ask it when a"
        " request comes; choices of a form may be a callable",
    )


ENDS: list[tuple[str, Text, str]] = [
    ("settings", settings("assert not BASE"), "settings failed: AssertionError (kittens/settings.py:14)"),
    ("urls", "import re\nre.compile('(')\n", "check failed: error: missing ), unterminated subpattern at position 0"),
    ("urls", "purr = = 1\n", "check failed: SyntaxError: invalid syntax (urls.py, line 1) (kittens/urls.py:1)"),
]


@pytest.mark.parametrize(("module", "text", "sentence"), ENDS)
def test_an_error_that_nobody_knows(project: Make, module: str, text: str, sentence: str) -> None:
    """Told by its own words and the project's own line, though a package raised it."""
    message = project(**{f"kittens___{module}__py": text}).failure("build").message
    assert message.startswith(sentence)
    assert message.endswith(f"(kittens/{module}.py:{14 if module == 'settings' else message[-2]})")


ROUTER = """
class Router:
    def db_for_write(self, model, **hints):
        return "archive" if model._meta.app_label == "cats" else None
    db_for_read = db_for_write
    def allow_migrate(self, db, app_label, **hints):
        return (db == "archive") == (app_label == "cats")
"""
TWO = """
DATABASES["archive"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BACKSTAGE_DATA"] + "/archive"}
DATABASES["legacy"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nonexistent/legacy"}
DATABASES["copy"] = {**DATABASES["archive"], "TEST": {"MIRROR": "archive"}}
DATABASE_ROUTERS = ["kittens.routers.Router"]
"""


def two(project: Make, **texts: Text) -> projects.Project:
    return project(kittens___settings__py=settings(TWO), **{"kittens___routers__py": ROUTER, **texts})


def test_every_database_that_a_router_writes_to_is_migrated(project: Make) -> None:
    """Not one that no router names, which may be somebody else's, and not a copy."""
    made = two(project)
    assert made.run("build")["migrated"] == ["default", "archive"]
    assert "cats.0001_initial (archive)" in made.run("look", applied=None)["pending"]
    applied = made.run("migrate")["applied"]
    assert {"cats.0001_initial", "cats.0001_initial (archive)"} <= {*applied}
    assert made.run("migrate")["applied"] == []
    known = made.run("applied")["applied"]
    assert {("cats", "0001_initial"), ("archive/cats", "0001_initial")} <= {*map(tuple, known)}
    assert made.run("look", applied=known)["pending"] == []
    less = [pair for pair in known if pair != ["archive/cats", "0001_initial"]]
    assert made.run("look", applied=less)["pending"] == ["cats.0001_initial (archive)"]


def test_a_rehearsal_migrates_its_own_databases_only(project: Make, place: Path) -> None:
    made = two(project)
    assert "(archive)" not in str(made.run("migrate", within=str(place / "code"))["applied"])
    assert "(archive)" in str(made.run("migrate", within=str(place / "data"))["applied"])


def test_where_models_go_is_a_matter_of_migrations(project: Make) -> None:
    """A release that has the same ones, and another database for them, is migrated."""
    made = two(project)
    both = made.run("build")["migrations"]
    (made.code / "kittens" / "routers.py").write_text(ONLY_WRITTEN)
    assert made.run("build")["migrations"] != both


def test_a_migration_of_the_second_database_that_fails(project: Make) -> None:
    broken = EMPTY.replace("operations = []", "operations = [migrations.RunPython(fail)]").replace(
        "class Migration", "def fail(apps, editor):\n    assert editor.connection.alias == 'default'\nclass Migration"
    )
    failure = two(project, cats___migrations___0002_broken__py=broken.format(before="0001_initial")).failure("migrate")
    assert failure.step == "migrate"
    assert "migrate failed: AssertionError (cats/migrations/0002_broken.py:4) (applied before it: " in failure.message
    assert failure.message.endswith("cats.0001_initial (archive))")
    assert "0002_broken," in failure.message, "the first database has it"


ONLY_WRITTEN = ROUTER.replace('(db == "archive") == (app_label == "cats")', 'db != "archive"')
COPIES = ROUTER.replace('return "archive" if model._meta.app_label == "cats" else None', "return None")


@pytest.mark.parametrize("router", [ONLY_WRITTEN, COPIES.replace('(db == "archive") == (app_label == "cats")', "True")])
def test_a_database_that_is_somebody_elses(project: Make, router: str) -> None:
    """Written to and not migrated, as routers of a legacy database say; or migrated, and written to by nobody."""
    made = two(project, kittens___routers__py=router)
    assert made.run("build")["migrated"] == ["default"]


def test_databases_of_which_the_default_one_is_none(project: Make) -> None:
    """As Django's manual writes it for routers."""
    lines = TWO + "DATABASES['default'] = {}\nINSTALLED_APPS = ['cats']\n"
    made = project(kittens___settings__py=settings(lines), kittens___routers__py=ROUTER)
    assert made.run("migrate")["applied"] == ["cats.0001_initial (archive)"]


def test_variables_of_the_report(project: Make) -> None:
    found: dict[str, Any] = project().run("look", applied=None)
    assert {*found} == {"output", "pages", "pending", "told", "unwritten", "warnings"}
