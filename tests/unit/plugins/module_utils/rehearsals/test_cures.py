# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes that a line of the manifest cures: what each cure writes, and that it knows when it knows none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.diagnosis import causes
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import cures
from ansible_collections.backstage.django.plugins.module_utils.rehearsals.draft import PLACEHOLDER

from .cases import MANAGE, PROJECT, WHY, WSGI, case, cure, cured


def test_every_cure_is_one_of_a_known_cause() -> None:
    seen = {"debug", "SECRET_KEY in the code", "database in the code"}
    said = {"placeholder read as a number", "no project table", "file of a page missing", "slow start"}
    assert {*cures.CURES} - seen - said <= {row.name for row in causes.ROWS}


OLD = [
    # (what the build says, what it is to be built with)
    ("use_2to3 is invalid", "setuptools<58"),
    ("cannot import name 'convert_path'", "setuptools<70"),
    ("cython_sources", "Cython<3"),
]


@pytest.mark.parametrize(("symptom", "line"), OLD)
def test_a_package_that_newer_tools_can_not_build(symptom: str, line: str) -> None:
    made = case("purr==1.0", symptom)
    assert cured("older tools needed", made) == {
        "files": [{"path": cures.BUILDING, "content": f"{line}\n"}],
        "requirements": ["requirements.txt", cures.BUILDING],
    }
    assert made.draft.wishes == []
    cure("older tools needed", case("meow==1.0", "Invalid version"))


def test_two_packages_that_newer_tools_can_not_build() -> None:
    made = case("purr==1.0", "use_2to3 is invalid")
    cure("older tools needed", made)
    made.words = ("meow==1.0", "cython_sources")
    cure("older tools needed", made)
    assert made.draft.item["files"] == [{"path": cures.BUILDING, "content": "setuptools<58\nCython<3\n"}]
    assert made.draft.item["requirements"] == ["requirements.txt", cures.BUILDING]


OVERRIDES = [
    ("host not allowed", (), f"{cures.HOSTS}\n{cures.ORIGINS}"),
    ("STATIC_ROOT unset", (), 'STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]'),
    ("root outside", ("STATIC_ROOT", "/x"), 'STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]'),
    ("root outside", ("MEDIA_ROOT", "/x"), 'MEDIA_ROOT = os.environ["BACKSTAGE_MEDIA_ROOT"]'),
    ("debug", (), "DEBUG = False"),
]


@pytest.mark.parametrize(("name", "words", "line"), OVERRIDES)
def test_settings_that_are_laid_over_theirs(name: str, words: tuple[str, ...], line: str) -> None:
    made = case(*words)
    assert cured(name, made) == {}
    assert list(made.draft.overrides.values()) == [(line, WHY)]
    assert made.draft.laid()["settings"] == "kittens.stage"


SITE = {name.replace("manage.py", "site/manage.py"): text for name, text in PROJECT.items()}
FOUND: list[tuple[dict[str, str], dict[str, Any], dict[str, Any]]] = [
    # (files, what is known, the lines): the packages tell whether the source or the working directory begins there
    (SITE, {}, {"chdir": "site"}),
    ({**SITE, "site/requirements.txt": ""}, {}, {"source": {"path": "/kittens", "subdir": "site"}}),
    ({"site/manage.py": ""}, {}, {"source": {"path": "/kittens", "subdir": "site"}}),
    ({"src/kittens/__main__.py": MANAGE, "requirements.txt": ""}, {}, {"manage": "-m kittens"}),
    (
        {"kittens/wsgi.py": WSGI, "kittens/settings.py": ""},
        {"manage": "kittens-admin"},
        {
            "manage": "-m django",
            "settings": "kittens.settings",
            "application": "kittens.wsgi:application",
        },
    ),
    ({"requirements.txt": ""}, {}, {"manage": "-m django"}),
]


@pytest.mark.parametrize(("files", "item", "lines"), FOUND)
def test_a_program_that_is_somewhere_else(files: dict[str, str], item: dict[str, Any], lines: dict[str, Any]) -> None:
    assert cured("management program missing", case("manage.py", files=files, item=item)) == lines


def test_a_program_that_the_package_brings() -> None:
    made = case("manage.py", files={"pyproject.toml": ""}, commands=lambda: ["kittens-admin"])
    assert cured("management program missing", made) == {"manage": "kittens-admin"}
    assert made.draft.because["manage"] == [f"{WHY}; the package brings the command kittens-admin"]


def test_of_several_projects_the_others_are_named() -> None:
    made = case("manage.py", files={"a/manage.py": "", "b/manage.py": "", "c/d/manage.py": ""})
    cured("management program missing", made)
    assert made.draft.because["source"] == [f"{WHY}; manage.py is in a (others: b, c/d)"]


def test_settings_that_nobody_names() -> None:
    files = {"manage.py": "", "kittens/settings.py": "", "kittens/wsgi.py": WSGI}
    lines = {"settings": "kittens.settings", "application": "kittens.wsgi:application"}
    assert cured("settings not named", case(files=files)) == lines


REQUIREMENTS: list[tuple[dict[str, str], dict[str, Any]]] = [
    (
        {"manage.py": "", "requirements/base.txt": "", "requirements/prod.txt": ""},
        {"requirements": ["requirements/prod.txt"]},
    ),
    ({"site/manage.py": "", "site/pyproject.toml": "[project]"}, {"source": {"path": "/kittens", "subdir": "site"}}),
    (
        {"manage.py": "", "kittens/settings.py": PROJECT["kittens/settings.py"]},
        {"requirements": [cures.ADDED], "files": [{"path": cures.ADDED, "content": "Django~=5.2.15\n"}]},
    ),
    (
        {"manage.py": ""},
        {"requirements": [cures.ADDED], "files": [{"path": cures.ADDED, "content": "Django\n"}]},
    ),
]


@pytest.mark.parametrize(("files", "lines"), REQUIREMENTS)
def test_requirements_that_are_named_nowhere(files: dict[str, str], lines: dict[str, Any]) -> None:
    assert cured("requirements not named", case(files=files)) == lines


def test_a_module_whose_package_is_known() -> None:
    made = case("rest_framework.views", item={"files": [{"path": "a", "content": "b"}]})
    cured("missing module", made)
    cured("missing module", replace(made, words=("PIL",)))
    cured("missing module", replace(made, words=("PIL",)))
    assert made.draft.item["requirements"] == ["requirements.txt", cures.ADDED]
    assert made.draft.item["files"] == [
        {"path": "a", "content": "b"},
        {"path": cures.ADDED, "content": "djangorestframework\nPillow\n"},
    ]


def test_django_of_another_directory() -> None:
    """A uv workspace: at the top nothing is needed."""
    files = {
        "pyproject.toml": "[project]",
        "uv.lock": "",
        "apps/web/manage.py": "",
        "apps/web/pyproject.toml": "[project]",
    }
    made = case("django", files=files)
    assert cured("missing module", made) == {"source": {"path": "/kittens", "subdir": "apps/web"}}
    assert made.draft.because["source"] == ["Django is not among the packages of the top; manage.py is in apps/web"]
    again = case("django", files=files, item={"source": {"path": "/kittens", "subdir": "apps/web"}})
    assert "requirements" in cured("missing module", again)


def test_a_module_whose_package_would_be_guessed() -> None:
    """Whoever guesses the name of a package installs what somebody put there to be guessed."""
    assert cured("missing module", case("kittens_secret")) == {}


@pytest.mark.parametrize("name", ["missing module", "debug"])
def test_settings_for_development_give_way(name: str) -> None:
    files = {
        "manage.py": MANAGE.format("kittens.settings.dev"),
        "kittens/settings/dev.py": "",
        "kittens/settings/production.py": "",
    }
    made = case("debug_toolbar", files=files)
    assert cured(name, made) == {"settings": "kittens.settings.production"}
    assert made.draft.because["settings"] == [f"{WHY}; kittens.settings.dev is for development"]
    assert made.draft.overrides == {}


VARIABLES: list[tuple[str, dict[str, Any], bool]] = [
    # (name, the lines, whether somebody has to give its value)
    ("DATABASE_URL", {"database": {"engine": "sqlite"}}, False),
    ("ALLOWED_HOSTS", {"env": {"ALLOWED_HOSTS": "a.example,www.a.example"}}, False),
    ("DJANGO_DEBUG", {"env": {"DJANGO_DEBUG": "0"}}, False),
    ("EMAIL_PORT", {"env": {"EMAIL_PORT": "0"}}, True),
    ("REDIS_URL", {"env": {"REDIS_URL": "redis://127.0.0.1:6379/0"}}, True),
    ("KITTENS_THEME", {"env": {"KITTENS_THEME": PLACEHOLDER}}, True),
]


@pytest.mark.parametrize(("name", "lines", "asked"), VARIABLES)
def test_variables(name: str, lines: dict[str, Any], asked: bool) -> None:
    made = case(name)
    row = "DATABASE_URL missing" if name == "DATABASE_URL" else "missing environment variable"
    assert cured(row, made) == lines
    assert made.draft.asked == [name] * asked


@pytest.mark.parametrize(
    ("name", "asked"),
    [("SECRET_KEY", 0), ("DJANGO_SECRET_KEY", 0), ("API_TOKEN", 1), ("DB_PASSWORD", 1), ("AWS_KEY_ID", 1)],
)
def test_variables_that_nobody_sees(name: str, asked: int) -> None:
    made = case(name)
    assert [*cured("missing environment variable", made)["secrets"]] == [name]
    assert made.draft.asked == [name] * asked


def test_a_placeholder_that_is_read_as_a_number() -> None:
    made = case("KITTENS_LIMIT")
    cured("missing environment variable", made)
    assert cured("placeholder read as a number", made) == {"env": {"KITTENS_LIMIT": "1"}}


def test_a_project_table_that_is_missing() -> None:
    files = {"manage.py": "", "pyproject.toml": "[tool.poetry]", "requirements-prod.txt": ""}
    assert cured("no project table", case(files=files)) == {"requirements": ["requirements-prod.txt"]}
    del files["requirements-prod.txt"]
    assert cured("no project table", case(files=files)) == {}


def test_an_empty_secret_key() -> None:
    """First it is given; only settings that do not read it are told to."""
    made = case()
    assert [*cured("SECRET_KEY empty", made)] == ["secrets"]
    assert made.draft.overrides == {}
    cured("SECRET_KEY empty", made)
    assert made.draft.overrides == {"SECRET_KEY": (cures.KEY, WHY)}


READS = 'CACHES = {"LOCATION": os.environ.get("CLUB_REDIS_URL")}; os.getenv("REDIS_HOST"); env("REDIS_PASSWORD")'
REDIS: list[tuple[str, str, dict[str, Any]]] = [
    # (where nothing answers, the settings, the lines)
    ("localhost:6379", "", {"packages": ["redis-server"]}),
    ("127.0.0.1:6379", READS, {"packages": ["redis-server"]}),
    ("redis:6379", READS, {
        "packages": ["redis-server"],
        "env": {"CLUB_REDIS_URL": "redis://127.0.0.1:6379/0", "REDIS_HOST": "127.0.0.1"},
    }),
    ("redis:6379", "", {}),
    ("localhost:6380", "", {}),
]  # fmt: skip


@pytest.mark.parametrize(("place", "text", "lines"), REDIS)
def test_redis(place: str, text: str, lines: dict[str, Any]) -> None:
    """Debian's, on the host itself; where the settings say another place and read no variable, people have to."""
    made = case(place, files={**PROJECT, "kittens/settings.py": text})
    assert cured("unreachable Redis", made) == lines
    before = made.draft.state()
    cure("unreachable Redis", made)
    assert made.draft.state() == before


def test_a_relative_path_is_one_of_the_working_directory() -> None:
    made = case("logs/a.log", item={"source": {"path": "/kittens", "subdir": "src"}, "chdir": "site"})
    cure("directory missing", made)
    assert made.draft.item["writable"] == ["site/logs/"]


def test_a_client_that_a_file_of_the_project_names() -> None:
    """That file has the version that the project is tested with; what it includes is not named twice."""
    texts = {"base": "Django\n", "postgres": "-r base.txt\npsycopg==3.2\n", "dev": "psycopg\n"}
    files = {"manage.py": "", **{f"requirements/{name}.txt": text for name, text in texts.items()}}
    made = case(files=files, item={"requirements": ["requirements/base.txt"]})
    assert cured("PostgreSQL client missing", made) == {"requirements": ["requirements/postgres.txt"]}
    files["requirements/postgres.txt"] = "psycopg==3.2\n"
    made = case(files=files, item={"requirements": ["requirements/base.txt"]})
    both = ["requirements/base.txt", "requirements/postgres.txt"]
    assert cured("PostgreSQL client missing", made) == {"requirements": both}
    cure("PostgreSQL client missing", made)
    assert made.draft.item["requirements"] == [*both, cures.ADDED]


def test_a_callable() -> None:
    assert cured("wrong callable", case()) == {"application": "kittens.wsgi:application"}
    made = case(item={"application": "kittens.wsgi:application"})
    before = made.draft.laid()
    cure("wrong callable", made)
    assert made.draft.laid() == before, "it is the one that is wrong"


def test_a_project_without_a_callable_is_given_one() -> None:
    made = case(files={"manage.py": ""}, item={"chdir": "site"})
    cure("WSGI application not named", made)
    assert made.draft.item["application"] == "stage_wsgi:application"
    (file,) = made.draft.item["files"]
    assert file["path"] == "site/stage_wsgi.py"
    compile(file["content"], "stage_wsgi.py", "exec")
    before = made.draft.laid()
    cure("WSGI application not named", made)
    assert made.draft.laid() == before


def test_pages_are_tried_one_after_the_other() -> None:
    made = case("/", pages=lambda: ["/", "/one/", "/two/"])
    paths = []
    for _time in range(3):
        cure("nothing at the path", made)
        paths.append(made.draft.item["health"]["path"])
    assert paths == ["/one/", "/two/", "/two/"]
    assert made.draft.because["health"] == [WHY]
    assert cured("nothing at the path", case("/", pages=list)) == {}


DATABASES = [
    # (requirements, whether the host has PostgreSQL, the engine)
    ("Django\npsycopg[binary]\n", True, "postgresql"),
    ("Django\npsycopg2-binary\n", True, "postgresql"),
    ("Django\npsycopg\n", False, "sqlite"),
    ("Django\n", True, "sqlite"),
]


@pytest.mark.parametrize("name", ["unreachable database", "wrong password", "database unknown"])
@pytest.mark.parametrize(("text", "has_database", "engine"), DATABASES)
def test_a_database_of_its_own(name: str, text: str, has_database: bool, engine: str) -> None:
    host: Any = SimpleNamespace(has_database=has_database)
    reading = 'DATABASES = {"default": dj_database_url.config()}'
    made = case(files={**PROJECT, "requirements.txt": text, "kittens/settings.py": reading}, host=host)
    assert cured(name, made) == {"database": {"engine": engine}}
    assert made.draft.overrides == {}, "settings that read DATABASE_URL need no more"
    cure("another database", made)
    (line, _why) = made.draft.overrides["DATABASES"]
    assert f'"ENGINE": "django.db.backends.{engine}' in line
    compile(line, "settings.py", "exec")
    before = made.draft.laid()
    cure(name, made)
    assert made.draft.laid() == before, "its own is the one that does not answer"
