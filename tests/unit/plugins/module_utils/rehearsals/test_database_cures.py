# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases of the Act's own, for settings that read a variable for each of its parts."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import database_cures
from ansible_collections.backstage.django.plugins.module_utils.rehearsals.draft import PLACEHOLDER

from .test_cures import PROJECT, case, cured

BY_VARIABLES = """
DATABASES = {"default": {
    "ENGINE": os.environ["DB_ENGINE"], "NAME": os.environ["DB_NAME"], "USER": os.environ["DB_USER"],
    "PASSWORD": os.environ["DB_PASSWORD"], "HOST": env("DB_HOST", default="localhost"), "PORT": os.environ['DB_PORT'],
}}
DB_POOL = os.environ["DB_POOL_SIZE"]
"""
WHOLE = {
    "DB_NAME": "{database}",
    "DB_USER": "{database_user}",
    "DB_PASSWORD": "",
    "DB_HOST": "{database_host}",
    "DB_PORT": "{database_port}",
}
LINES: list[tuple[str, str, bool, dict[str, Any]]] = [
    # (cause, the missing variable, whether the host has PostgreSQL, the lines)
    ("missing environment variable", "DB_NAME", True, {"DB_ENGINE": "django.db.backends.postgresql", **WHOLE}),
    ("missing environment variable", "DB_USER", False, {"DB_ENGINE": "django.db.backends.sqlite3", **WHOLE}),
    ("wrong password", "kittens", True, {"DB_ENGINE": "django.db.backends.postgresql", **WHOLE}),
]


@pytest.mark.parametrize(("name", "word", "has_database", "env"), LINES)
def test_a_database_that_variables_tell(name: str, word: str, has_database: bool, env: dict[str, str]) -> None:
    files = {**PROJECT, "requirements.txt": "psycopg", "kittens/settings.py": BY_VARIABLES}
    host: Any = SimpleNamespace(has_database=has_database)
    made = case(word, files=files, host=host)
    engine = "postgresql" if has_database else "sqlite"
    assert cured(name, made) == {"database": {"engine": engine}, "env": env}
    assert made.draft.asked == []


SAME = 'DATABASES = {**DATABASES, "default": {**DATABASES["default"], '
ANOTHER = 'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", '
PLACES: list[tuple[dict[str, Any], str, str]] = [
    # (the settings' database, the cause's word, what the line begins with)
    ({"vendor": "postgresql", "engine": "x"}, "taiga", SAME),
    ({}, "postgresql 'taiga'", SAME),
    ({"vendor": "mysql", "engine": "x"}, "root", ANOTHER),
]


@pytest.mark.parametrize(("database", "word", "begins"), PLACES)
def test_settings_that_read_no_variable(tmp_path: Path, database: dict[str, Any], word: str, begins: str) -> None:
    """Both lines at once; the back end, transactions and options of the project's own stay, where they fit."""
    host: Any = SimpleNamespace(has_database=True)
    files = {**PROJECT, "requirements.txt": "psycopg"}
    made = case(word, files=files, host=host, record={"databases": {"default": database}} if database else {})
    assert cured("wrong password", made) == {"database": {"engine": "postgresql"}}
    line, _why = made.draft.overrides["DATABASES"]
    assert line.startswith(begins)
    (tmp_path / "settings.py").write_text(line)
    theirs = {"other": {}, "default": {"ENGINE": "x", "HOST": "db", "ATOMIC_REQUESTS": True}}
    environ = {"DATABASE_URL": "postgresql:///cats"}
    world = {"os": SimpleNamespace(environ=environ), "DATABASES": theirs}
    found = runpy.run_path(str(tmp_path / "settings.py"), world)["DATABASES"]
    assert (found["default"]["NAME"], found["default"].get("HOST", "")) == ("cats", "")
    is_kept = begins == SAME
    assert ("other" in found, found["default"].get("ATOMIC_REQUESTS", False)) == (is_kept, is_kept)


@pytest.mark.parametrize(("text", "env", "is_overridden"), [
    (BY_VARIABLES, {"DB_ENGINE": "django.db.backends.postgresql", **WHOLE}, False),
    ("DATABASES = {}", None, True),
    ("if 'DATABASE_URL' in os.environ: ...", None, False),
])  # fmt: skip
def test_settings_that_name_no_database(text: str, env: Any, is_overridden: bool) -> None:
    host: Any = SimpleNamespace(has_database=True)
    made = case(files={**PROJECT, "requirements.txt": "psycopg", "kittens/settings.py": text}, host=host)
    lines = cured("database not named", made)
    assert (lines["database"], lines.get("env")) == ({"engine": "postgresql"}, env)
    assert ("DATABASES" in made.draft.overrides) == is_overridden


def test_the_rehearsals_own_role_is_no_reason() -> None:
    """Settings without a user come as the system user of the rehearsal, whom nobody knows later."""
    host: Any = SimpleNamespace(has_database=True)
    for text in (BY_VARIABLES, "", "dj_database_url"):
        files = {**PROJECT, "requirements.txt": "psycopg", "kittens/settings.py": text}
        made = case("rehearsal-kittens", files=files, host=host)
        cured("database unknown", made)
        said = [*made.draft.because["database"], *(why for _line, why in made.draft.overrides.values())]
        assert {why.partition(";")[0] for why in said} == {database_cures.NOT_ITS_OWN}


def test_settings_that_are_classes_and_read_no_variable() -> None:
    files = {
        **PROJECT,
        "requirements.txt": "psycopg",
        "kittens/settings.py": "from configurations import Configuration\nclass Live(Configuration): ...\n",
    }
    host: Any = SimpleNamespace(has_database=True)
    made = case("postgresql 'x'", files=files, host=host)
    cured("wrong password", made)
    assert "{**Live.DATABASES, " in made.draft.overrides["DATABASES"][0]


@pytest.mark.parametrize("name", ["wrong password", "MySQL client missing"])
def test_variables_with_the_projects_own_prefix(name: str) -> None:
    """Of several families the first one that names a database; those of another database stay as they are."""
    text = BY_VARIABLES.replace('"DB_', '"CLUB_DB_').replace("'DB_", "'CLUB_DB_") + 'os.environ["OLD_DB_NAME"]'
    files = {**PROJECT, "requirements.txt": "psycopg", "kittens/settings.py": text}
    host: Any = SimpleNamespace(has_database=True)
    lines = {
        "CLUB_DB_ENGINE": "django.db.backends.postgresql",
        **{f"CLUB_{key}": value for key, value in WHOLE.items()},
    }
    assert cured(name, case(files=files, host=host)) == {"database": {"engine": "postgresql"}, "env": lines}


def test_a_client_of_mysql_and_settings_that_read_nothing() -> None:
    """Which database it is to be is for people to say."""
    assert cured("MySQL client missing", case()) == {}


def test_a_variable_beside_those_of_a_database() -> None:
    files = {**PROJECT, "kittens/settings.py": BY_VARIABLES}
    assert cured("missing environment variable", case("KITTENS_THEME", files=files))["env"] == {
        "KITTENS_THEME": PLACEHOLDER
    }
    postgres_only = {**PROJECT, "kittens/settings.py": BY_VARIABLES.replace('os.environ["DB_ENGINE"]', '"x"')}
    assert "database" not in cured("missing environment variable", case("DB_NAME", files=postgres_only))


def test_settings_that_look_for_the_older_scheme() -> None:
    text = 'if os.environ["DATABASE_URL"].startswith("postgres://"): ...'
    files = {**PROJECT, "requirements.txt": "psycopg", "kittens/settings.py": text}
    host: Any = SimpleNamespace(has_database=True)
    lines = cured("DATABASE_URL missing", case("DATABASE_URL", files=files, host=host))
    assert lines["env"] == {"DATABASE_URL": "postgres://:{database_port}/{database}"}
    files["kittens/settings.py"] = text + ' or url.startswith("postgresql://")'
    assert "env" not in cured("DATABASE_URL missing", case("DATABASE_URL", files=files, host=host))


@pytest.mark.parametrize(("package", "has_database", "is_said"), [
    ("psycopg2-binary", False, True), ("psycopg2-binary", True, False), ("Django", False, False),
])  # fmt: skip
def test_a_project_of_postgresql_on_a_host_without(package: str, has_database: bool, is_said: bool) -> None:
    """SQLite takes its place, and that is said: in the end it is for people to decide."""
    host: Any = SimpleNamespace(has_database=has_database)
    for name in ("unreachable database", "missing environment variable"):
        files = {**PROJECT, "requirements.txt": package, "kittens/settings.py": BY_VARIABLES}
        made = case("DB_NAME" if name[0] == "m" else "", files=files, host=host)
        cured(name, made)
        assert made.draft.wishes == [database_cures.NO_POSTGRESQL] * is_said
