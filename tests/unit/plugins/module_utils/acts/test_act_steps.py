# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's steps in a real Django, as another user: what they find, and what each failure says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest

from ... import projects
from ...projects import Make, Text, settings


def test_what_a_build_finds(project: Make, place: Path) -> None:
    made = project(kittens___settings__py=settings('MEDIA_URL = "/media/"\nMEDIA_ROOT = BASE / "uploads"'))
    found = made.run("build", after_static=["diffsettings --output unified"])
    found.pop("output")
    assert len(found.pop("migrations")) == 64
    graph = found.pop("graph")
    assert graph["cats.0001_initial"] == graph["auth.0001_initial"] == []
    assert found == {
        "settings": "kittens.settings",
        "wsgi_application": "kittens.wsgi.application",
        "asgi_application": "",
        "static_url": "static/",
        "static_root": str(place / "static"),
        "media_url": "/media/",
        "media_root": str(made.code / "uploads"),
        "debug": False,
        "databases": {
            "default": {
                "engine": "django.db.backends.sqlite3",
                "name": f"{place}/data/db.sqlite3",
                "vendor": "sqlite",
            }
        },
        "collected": f"1 static file copied to '{place}/static'.",
        "migrated": ["default"],
        "rotating": [],
        "apps": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.staticfiles", "cats"],
        "told": [
            "SECRET_KEY stands in kittens/settings.py, for everybody who can read the source: give it in 'secrets', and"
            " have the settings read it from os.environ"
        ],
    }
    assert (place / "static" / "cats" / "cat.css").read_text() == "cat {}\n"
    assert (place / "static").stat().st_uid == (place / "static" / "cats").stat().st_uid == 1
    assert list(made.code.rglob("settings.*.pyc")), "the player could not write its bytecode"


ASGI = [
    # (the file asgi.py, more settings, the callable)
    ("application = 1", "", "kittens.asgi.application"),
    ("application = 1", "WSGI_APPLICATION = None", "kittens.asgi.application"),
    ("application = 1", "WSGI_APPLICATION = 'nowhere.wsgi.application'", ""),
    ("application = 1", "ASGI_APPLICATION = 'kittens.routing.application'", "kittens.routing.application"),
    (None, "ASGI_APPLICATION = None", ""),
]


@pytest.mark.parametrize(("file", "more", "found"), ASGI)
def test_where_the_asgi_callable_is(project: Make, file: Optional[str], more: str, found: str) -> None:
    """Django's own template has an asgi.py, and names it nowhere."""
    lines = f"ROOT_URLCONF = 'kittens.urls'\n{more}"
    made = project(kittens___settings__py=settings(lines), kittens___asgi__py=file)
    assert made.run("build")["asgi_application"] == found


OWN_ENGINE = """
DATABASES["default"]["ENGINE"] = "kittens.engine"
DATABASES["gone"] = {"ENGINE": "nowhere.at.all", "NAME": "x"}
"""


def test_a_back_end_of_the_projects_own(project: Make) -> None:
    """It is known by what it speaks to, and one that can't be loaded keeps nothing from being built."""
    made = project(
        kittens___settings__py=settings(OWN_ENGINE),
        kittens___engine____init____py="",
        kittens___engine___base__py="from django.db.backends.sqlite3.base import *\n",
    )
    found = made.run("build")["databases"]
    assert {alias: one["vendor"] for alias, one in found.items()} == {"default": "sqlite", "gone": "unknown"}


MIGRATION = projects.EMPTY.format(before="0001_initial")
META = projects.MODELS + "    class Meta:\n        permissions = [('purr', 'may purr')]\n"
CALLED = """
from django.apps import AppConfig
from django.db.models.signals import post_migrate
def called(**_): pass
class Cats(AppConfig):
    name = "cats"
    def ready(self): post_migrate.connect(called)
"""


def test_which_migrations_there_are(project: Make, place: Path) -> None:
    """Code alone changes nothing of it; a migration does, and what `migrate` makes of the models when it ends."""
    made = project()
    path = made.code / "cats"
    found = [made.run("build")["migrations"]]
    (path / "views.py").write_text("new = True\n")
    assert made.run("build")["migrations"] == found[0]
    for name, text in (("migrations/0002_empty.py", MIGRATION), ("models.py", META)):
        (path / name).write_text(text)
        found.append(made.run("build")["migrations"])
    assert len({*found, ""}) == 4


SQUASHED = """
from django.db import migrations
class Migration(migrations.Migration):
    replaces = [("cats", "0001_initial"), ("cats", "0002_empty")]
    operations = []
"""


def test_the_graph_of_a_project_that_squashed(project: Make) -> None:
    """No database is made or opened for it."""
    more = {"cats___migrations___0002_empty__py": MIGRATION, "cats___migrations___0001_squashed__py": SQUASHED}
    made = project(**more)
    graph = made.run("build")["graph"]
    assert {name: replaced for name, replaced in graph.items() if name.startswith("cats.")} == {
        "cats.0001_initial": [],
        "cats.0001_squashed": ["cats.0001_initial", "cats.0002_empty"],
        "cats.0002_empty": [],
    }
    assert not Path(made.env["BACKSTAGE_DATA"], "db.sqlite3").exists()


def test_a_project_that_is_called_by_every_migrate(project: Make) -> None:
    assert project(cats___apps__py=CALLED).run("build")["migrations"] == ""


WEB: list[tuple[str, dict[str, str]]] = [
    # (settings, what nginx has to know)
    ("", {"media_url": "", "media_root": ""}),
    ('STATIC_URL = "https://cdn.example.com/"', {"static_url": "https://cdn.example.com/"}),
    ('STATIC_ROOT = BASE / "collected"', {"static_root": "{code}/collected"}),
    ('STATIC_ROOT = str(BASE) + "/collected/"', {"static_root": "{code}/collected"}),
    (
        'MEDIA_URL = "media/"; MEDIA_ROOT = os.environ["BACKSTAGE_MEDIA_ROOT"]',
        {"media_url": "media/", "media_root": "{media}"},
    ),
    ('MEDIA_URL = "/"; MEDIA_ROOT = "/var/uploads"', {"media_url": "/"}),
    ('STATIC_URL = "/static/"', {"static_url": "/static/"}),
    # private uploads: no URL, so they are not nginx's business
    ('MEDIA_ROOT = BASE / "private"', {"media_url": ""}),
    ('INSTALLED_APPS.remove("django.contrib.staticfiles"); STATIC_URL = STATIC_ROOT = None', {"static_root": ""}),
]


@pytest.mark.parametrize(("more", "found"), WEB)
def test_static_files_and_uploads(project: Make, place: Path, more: str, found: dict[str, str]) -> None:
    answer = project(kittens___settings__py=settings(more)).run("build")
    expected = {key: value.format(code=place / "code", media=place / "media") for key, value in found.items()}
    assert {key: answer[key] or "" for key in expected} == expected


TELL = """
import os
from django.conf import settings
from django.core.management import BaseCommand
from django.urls import reverse
class Command(BaseCommand):
    def handle(self, **options):
        with open(os.environ["BACKSTAGE_DATA"] + "/told", "w") as told:
            told.write(settings.STATIC_URL + " " + reverse("home"))
"""
BELOW: dict[str, Text] = {
    # read while apps are loaded, as those do that compress style sheets
    "cats___apps__py": "from django.apps import AppConfig\nfrom django.conf import settings\n"
    "class Cats(AppConfig):\n    name = 'cats'\n    def ready(self): settings.STATIC_URL\n",
    "cats___management___commands___tell__py": TELL,
    "kittens___urls__py": "from django.urls import path\n"
    "urlpatterns = [path('a/', lambda request: None, name='home')]\n",
}


@pytest.mark.parametrize(("mode", "options"), [("build", {"after_static": ["tell"]}), ("run", {"words": ["tell"]})])
@pytest.mark.parametrize(
    ("prefix", "more", "told", "found"),
    [
        ("", "", "/static/ /a/", "static/"),
        ("/blog", "", "/blog/static/ /blog/a/", "static/"),
        ("/blog", "STATIC_URL = '/files/'", "/files/ /blog/a/", "/files/"),
    ],
)
def test_below_a_path(
    project: Make, place: Path, mode: str, options: dict[str, Any], prefix: str, more: str, told: str, found: str
) -> None:
    """Every URL begins with the path, and the record keeps what the settings say."""
    made = project(**BELOW, kittens___settings__py=settings(more))
    made.env["BACKSTAGE_PREFIX"] = prefix
    answer = made.run(mode, **options)
    assert (place / "data" / "told").read_text() == told
    assert answer.get("static_url", found) == found


HERE = "import sys\nsys.path.insert(0, '.')\n"
MANAGES: list[tuple[str, dict[str, Text]]] = [
    ("manage.py", {}),
    (
        "bin/manage.py",
        {"manage__py": None, "bin___manage__py": "import sys\nsys.path.insert(0, '.')\n" + projects.MANAGE},
    ),
    ("-m kittens", {"manage__py": None}),
    ("kittens-web", {"manage__py": None}),
]


@pytest.mark.parametrize(("manage", "texts"), MANAGES)
def test_the_management_program(project: Make, manage: str, texts: dict[str, Text]) -> None:
    """A file, a module, or a console script of the environment (ACTS: not always manage.py)."""
    made = project(**texts)
    script = made.django / "bin" / "kittens-web"
    script.write_text(f"#!{made.django}/bin/python\n{HERE}{projects.MANAGE}    sys.exit(None)\n")
    script.chmod(0o755)
    try:
        assert made.run("build", manage=manage)["settings"] == "kittens.settings"
        assert made.run("migrate", manage=manage)["applied"][0] == "contenttypes.0001_initial"
        made.run("run", manage=manage, words=["check"])
    finally:
        script.unlink()


def test_what_lies_beside_the_management_program_is_found(project: Make) -> None:
    """Python puts a script's own directory on the path, wherever it is started from."""
    made = project()
    (made.code / "src").mkdir()
    for name in ("manage.py", "kittens", "cats"):
        (made.code / name).rename(made.code / "src" / name)
    assert made.run("build", manage="src/manage.py")["settings"] == "kittens.settings"
    made.run("run", manage="src/manage.py", words=["check"])


SYNTAX = "def broken(:\n"
FAILURES: list[tuple[str, dict[str, Text], dict[str, Any], str, str]] = [
    # (FAULTS or what, the project, options, step, sentence)
    ("fault 11", {"kittens___settings__py": SYNTAX}, {}, "settings", "SyntaxError"),
    ("fault 11", {"kittens___urls__py": SYNTAX}, {}, "check", "SyntaxError"),
    ("fault 11", {"cats___models__py": SYNTAX}, {}, "settings", "SyntaxError"),
    (
        "fault 11",
        {"kittens___settings__py": settings('os.environ["KITTENS_THEME"]')},
        {},
        "settings",
        "the environment variable KITTENS_THEME is missing: add it to 'env' or 'secrets'",
    ),
    (
        "no settings",
        {"kittens___settings__py": None},
        {},
        "settings",
        "there is no settings module 'kittens.settings': set 'settings', 'chdir' or the source's 'subdir'",
    ),
    (
        "a package",
        {"kittens___settings__py": settings('INSTALLED_APPS.append("taggit")')},
        {},
        "settings",
        "the module 'taggit' is missing: add its package, django-taggit, to the requirements",
    ),
    (
        "a module of its own",
        {"kittens___settings__py": settings("from kittens.configuration import THEME")},
        {},
        "settings",
        "the project's own module 'kittens.configuration' is missing: write it into 'files', or add it to the source",
    ),
    (
        "a module whose absence the project tells in its own words",
        {
            "kittens___settings__py": settings(
                "try: from kittens.configuration import THEME\n"
                "except ImportError as error: raise RuntimeError('Configure me') from error"
            )
        },
        {},
        "settings",
        "the project's own module 'kittens.configuration' is missing: write it into 'files', or add it to the source",
    ),
    (
        "a directory that nobody may make",
        {"kittens___settings__py": settings("import pathlib; pathlib.Path('/sys/club').mkdir()")},
        {},
        "settings",
        "the Act may not make the directory '/sys/club': name it in 'writable', with a '/'",
    ),
    (
        "a failing check without a database",
        {
            "kittens___settings__py": settings("DATABASES = {}"),
            "cats___models__py": projects.MODELS + '    home = models.ForeignKey("Home", models.CASCADE)\n',
        },
        {},
        "check",
        "the settings name no database: write 'database' in the manifest",
    ),
    (
        "a failing check",
        {"cats___models__py": projects.MODELS + '    home = models.ForeignKey("Home", models.CASCADE)\n'},
        {},
        "check",
        "cats.Cat.home: (fields.E300) Field defines a relation with model 'Home', which is either not installed",
    ),
    (
        "no STATIC_ROOT",
        {"kittens___settings__py": settings(without="STATIC_ROOT")},
        {},
        "collectstatic",
        "STATIC_ROOT is not set: set it to os.environ['BACKSTAGE_STATIC_ROOT'], or say 'static: none'",
    ),
    (
        "STATIC_ROOT outside",
        {"kittens___settings__py": settings('STATIC_ROOT = "/var/www/static"')},
        {},
        "settings",
        "STATIC_ROOT is /var/www/static, where nginx can't serve it: set it to os.environ['BACKSTAGE_STATIC_ROOT'],"
        " or to a directory of the code",
    ),
    (
        "MEDIA_ROOT outside",
        {"kittens___settings__py": settings('MEDIA_URL = "/m/"; MEDIA_ROOT = BASE.parent / "codes"')},
        {},
        "settings",
        "/codes, where nginx can't serve it: set it to os.environ['BACKSTAGE_MEDIA_ROOT']",
    ),
    (
        "a database whose directory is not there",
        {
            "kittens___settings__py": settings('DATABASES["default"]["NAME"] = BASE / "db" / "cats.db"'),
            "cats___apps__py": "from django.apps import AppConfig\nfrom django.db import connection\n"
            "class Cats(AppConfig):\n    name = 'cats'\n    def ready(self): connection.ensure_connection()\n",
        },
        {},
        "settings",
        "/code/db/cats.db' is not there: is it in the source? One that the Act writes goes into 'writable', with a '/'",
    ),
    (
        "manifest storage",
        {
            "kittens___settings__py": settings(
                "STORAGES = {'staticfiles': {'BACKEND':"
                " 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'}}"
            ),
            "cats___static___cats___cat__css": "a { background: url(nonesuch.png) }",
        },
        {},
        "collectstatic",
        "nonesuch.png",
    ),
    ("after_static", {}, {"after_static": ["nonesuch --force"]}, "nonesuch --force", "Unknown command: 'nonesuch'"),
    ("no manage.py", {"manage__py": None}, {}, "settings", "there is no manage.py"),
    (
        "no Django",
        {"manage__py": "print('hello')\n"},
        {},
        "settings",
        "manage.py never called Django's management commands",
    ),
    ("it exits", {"manage__py": "raise SystemExit(3)\n"}, {}, "settings", "it exited with status 3"),
    ("no script", {}, {"manage": "kittens-web"}, "settings", "there is no "),
]


@pytest.mark.parametrize(
    ("texts", "options", "step", "sentence"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES]
)
def test_a_build_that_fails(
    project: Make, texts: dict[str, Text], options: dict[str, Any], step: str, sentence: str
) -> None:
    failure = project(**texts).failure("build", **options)
    assert (failure.step, sentence in failure.message) == (step, True), failure.message
    assert "str: " not in failure.message
    assert "\n" not in failure.message


def test_a_failure_shows_the_end_of_its_output(project: Make) -> None:
    failure = project(kittens___settings__py=settings('print("purr"); 1 / 0')).failure("build")
    assert failure.message == "settings failed: ZeroDivisionError: division by zero (kittens/settings.py:14)"
    assert failure.log.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert "purr" in failure.log


def test_a_python_that_dies(project: Make) -> None:
    failure = project(kittens___settings__py=settings("os.abort()")).failure("build")
    assert failure.message == "the Act's Python ended with status -6 and no answer"


def test_static_none(project: Make) -> None:
    """A project that ships its own, whose collectstatic would break them."""
    found = project(kittens___settings__py=settings(without="STATIC_ROOT")).run("build", static="none")
    assert (found["collected"], found["static_root"]) == (None, "")
