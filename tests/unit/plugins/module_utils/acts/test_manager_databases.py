# SPDX-License-Identifier: GPL-3.0-or-later
"""Django and its database, in a real PostgreSQL: DATABASE_URL as it is exported, and migrations one at a time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import act_migrations, databases, world
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act

from ...projects import EMPTY, Make, Project, settings
from ...servers import Postgres

SONGS = {"vendor": "postgresql", "name": "songs"}
DJ = "import dj_database_url; DATABASES = {'default': dj_database_url.config()}"
ENVIRON = "import environ; DATABASES = {'default': environ.Env().db()}"
PLAIN = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'songs'}}"
MIGRATED = "SELECT name FROM django_migrations WHERE app = 'cats'"


@pytest.fixture
def songs(cluster: Postgres) -> Postgres:
    """A database of daemon's, as whom the tests play."""
    cluster.ask("CREATE DATABASE songs")
    return cluster


def reading(project: Make, cluster: Optional[Postgres], lines: str, **texts: str) -> Project:
    """A project with these settings, and the world of an Act whose manifest has a database."""
    made = project(kittens___settings__py=settings(lines), **texts)
    made.env["DATABASE_URL"] = "postgresql:///songs"
    if cluster:
        made.env["PGHOST"] = str(cluster.root)  # a host's PostgreSQL is where every client looks
    return made


@pytest.mark.parametrize("lines", [DJ, ENVIRON, PLAIN])
def test_database_url_of_postgresql(project: Make, songs: Postgres, lines: str) -> None:
    made = reading(project, songs, lines)
    assert made.run("build", database=SONGS)["databases"]["default"]["name"] == "songs"
    assert "cats.0001_initial" in made.run("migrate", database=SONGS)["applied"]
    assert made.run("migrate", database=SONGS)["applied"] == []
    assert songs.ask(MIGRATED, "songs") == "0001_initial"


@pytest.mark.parametrize("lines", [DJ, ENVIRON])
def test_database_url_of_sqlite(project: Make, place: Path, lines: str) -> None:
    made = reading(project, None, lines)
    act = Act("kittens", database="sqlite")
    made.env["DATABASE_URL"] = databases.url(act, "jazz", str(place / "data"), databases.PORT)
    wanted = databases.wanted(act, "jazz", str(place / "data"))
    made.run("build", database=wanted)
    assert "cats.0001_initial" in made.run("migrate", database=wanted)["applied"]
    assert (place / "data" / "db.sqlite3").stat().st_size > 0


FIVE = """
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["DB_NAME"],
    "USER": os.environ["DB_USER"], "PASSWORD": os.environ["DB_PASSWORD"], "HOST": os.environ["DB_HOST"],
    "PORT": os.environ["DB_PORT"]}}
"""
PLACES = {
    "DB_NAME": "{database}",
    "DB_USER": "{database_user}",
    "DB_PASSWORD": "",
    "DB_HOST": "{database_host}",
    "DB_PORT": "{database_port}",
    "DATABASE_URL": "postgres://:{database_port}/{database}",
}


@pytest.mark.parametrize("lines", [FIVE, DJ])
def test_placeholders_lead_to_the_database(
    project: Make, cluster: Postgres, monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    """By the socket, as the user who plays, and without a password."""
    cluster.ask("CREATE DATABASE daemon")
    monkeypatch.setattr(databases, "SOCKETS", str(cluster.root))
    monkeypatch.setattr(names, "player", lambda _production, _act: "daemon")
    told = databases.placeholders(Act("kittens", database="postgresql"), "jazz", "/nowhere", databases.PORT)
    made = reading(project, cluster, lines)
    made.env.update(world.expand(PLACES, world.Places("", "", "", ""), told))
    wanted = {"vendor": "postgresql", "name": "daemon"}
    made.run("build", database=wanted)
    assert "cats.0001_initial" in made.run("migrate", database=wanted)["applied"]
    assert cluster.ask(MIGRATED, "daemon") == "0001_initial"


def test_a_build_reaches_no_database(project: Make, songs: Postgres) -> None:
    """The settings parse DATABASE_URL; check and collectstatic connect to nothing."""
    made = reading(project, songs, DJ)
    made.env["PGHOST"] = "/nowhere"
    made.run("build", database=SONGS)


ASKING = """
from django.db import connection, migrations

class Migration(migrations.Migration):
    dependencies = [("cats", "0001_initial")]
    operations = [migrations.RunSQL("SELECT 1", hints={"version": connection.cursor().connection.info.server_version})]
"""


def test_a_migration_that_asks_the_database_when_it_is_loaded(project: Make, songs: Postgres) -> None:
    """The builder has no database: what the migrations are is not known, and they run when the player loads them."""
    made = reading(project, songs, DJ, cats___migrations___0002_asking__py=ASKING)
    socket, made.env["PGHOST"] = made.env["PGHOST"], "/nowhere"
    found = made.run("build", database=SONGS)
    assert (found["migrations"], found["graph"]) == ("", None)
    made.env["PGHOST"] = socket
    assert "cats.0002_asking" in made.run("migrate", database=SONGS)["applied"]


READ = "have DATABASES read DATABASE_URL, or leave 'database' out"
MISMATCHES = [
    # (settings, the database of the manifest, the sentence)
    ("", SONGS, "is sqlite '{data}/db.sqlite3', not the manifest's postgresql: " + READ),
    ("DATABASES = {}", SONGS, "is no database, not the manifest's postgresql: " + READ),
    (PLAIN, {**SONGS, "name": "jazz-kittens"}, "is postgresql 'songs', not the manifest's postgresql: " + READ),
    (
        'DATABASES["default"]["NAME"] = BASE / "db.sqlite3"',
        {"vendor": "sqlite", "name": "{data}/db.sqlite3"},
        "is sqlite '{code}/db.sqlite3', not the manifest's sqlite: " + READ,
    ),
]


@pytest.mark.parametrize(("lines", "database", "sentence"), MISMATCHES)
def test_settings_with_another_database(
    project: Make, place: Path, lines: str, database: dict[str, str], sentence: str
) -> None:
    where = {"data": f"{place}/data", "code": f"{place}/code"}
    wanted = {key: value.format(**where) for key, value in database.items()}
    made = reading(project, None, lines)
    for mode in ("build", "migrate"):
        failure = made.failure(mode, database=wanted)
        assert failure.message == f"the settings' default database {sentence.format(**where)}"
        assert failure.step == "check"


def test_without_the_client(project: Make) -> None:
    """Before anything else of the project is looked at: its models ask for the database's client."""
    hidden = "import sys; sys.modules['psycopg'] = None\n" + PLAIN
    failure = reading(project, None, hidden).failure("build", database=SONGS)
    assert (failure.step, failure.message) == (
        "settings",
        "the Python client of PostgreSQL is missing: add psycopg[binary] to the requirements (before Django 4.2"
        " psycopg2-binary)",
    )


@contextmanager
def held(cluster: Postgres, statement: str) -> Iterator[None]:
    """Somebody else's transaction, which is open behind this statement."""
    argv = [cluster.client, "--no-psqlrc", "--dbname=songs"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, user=1, group=1, extra_groups=[1], cwd="/", stdin=pipe, stdout=pipe, text=True) as psql:
        assert psql.stdin
        assert psql.stdout
        psql.stdin.write(f"BEGIN; {statement}; SELECT 'held';\n")
        psql.stdin.flush()
        while "held" not in psql.stdout.readline():
            pass
        yield
        psql.stdin.close()


def test_a_migrate_waits_for_another_one(project: Make, songs: Postgres) -> None:
    made = reading(project, songs, DJ)
    with held(songs, f"SELECT pg_advisory_xact_lock({act_migrations.MIGRATE_LOCK})"):
        failure = made.failure("migrate", database=SONGS, patience=0.5)
    assert failure.message.startswith("another migrate of this database has not ended within 0 s: wait for it")
    assert 'relation "django_migrations" does not exist' in songs.ask(MIGRATED, "songs"), "it did nothing"
    assert "cats.0001_initial" in made.run("migrate", database=SONGS)["applied"]


def test_fault_17_two_migrates_at_once(project: Make, songs: Postgres) -> None:
    """Without the lock one of them breaks on a table that the other one makes."""
    made = reading(project, songs, DJ)
    with ThreadPoolExecutor() as both:
        runs = list(both.map(lambda _run: made.run("migrate", database=SONGS)["applied"], range(2)))
    assert sorted(map(bool, runs)) == [False, True]
    assert songs.ask(MIGRATED, "songs") == "0001_initial"


CONCURRENT = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cats", "0001_initial")]
    operations = [AddIndexConcurrently("cat", models.Index(fields=["name"], name="by_name"))]
"""


def test_an_index_that_is_made_concurrently(project: Make, songs: Postgres) -> None:
    """It waits for every transaction that may still read what it has seen, and the lock is held in one."""
    songs.ask("ALTER DATABASE songs SET default_transaction_isolation = 'repeatable read'")
    songs.ask("ALTER DATABASE songs SET statement_timeout = '5s'")
    made = reading(project, songs, DJ, cats___migrations___0002_index__py=CONCURRENT)
    assert made.run("migrate", database=SONGS)["applied"][-1] == "cats.0002_index"


ADD = """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = [("cats", "0001_initial")]
    operations = [migrations.RunSQL("SELECT 1"), migrations.AddField("cat", "age", models.IntegerField(null=True))]
"""


def test_fault_16_a_migration_that_waits_for_a_lock(project: Make, songs: Postgres) -> None:
    """All who read the table after it would wait, too: it gives up, and says who holds the lock."""
    made = reading(project, songs, DJ)
    made.run("migrate", database=SONGS)
    (made.code / "cats" / "migrations" / "0002_age.py").write_text(ADD)
    with held(songs, "SELECT count(*) FROM cats_cat"), ThreadPoolExecutor() as others:
        migrated = others.submit(made.failure, "migrate", database=SONGS)
        while "ALTER TABLE" not in songs.ask("SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not migrated.done()
        began = time.monotonic()
        assert songs.ask("SELECT count(*) FROM cats_cat", "songs") == "0"
        waited = time.monotonic() - began
        failure = migrated.result()
    assert waited < act_migrations.LOCK_SECONDS + 60
    assert failure.message.startswith("a migration waited for a lock that another connection holds, and gave up")
    assert made.run("migrate", database=SONGS)["applied"] == ["cats.0002_age"]


def test_a_lock_timeout_of_the_projects_own_stays(project: Make, songs: Postgres) -> None:
    songs.ask("ALTER DATABASE songs SET lock_timeout = '100ms'")
    made = reading(project, songs, DJ)
    made.run("migrate", database=SONGS)
    (made.code / "cats" / "migrations" / "0002_age.py").write_text(ADD)
    with held(songs, "SELECT count(*) FROM cats_cat"):
        began = time.monotonic()
        made.failure("migrate", database=SONGS)
    assert songs.ask("SHOW lock_timeout", "songs") == "100ms"
    assert time.monotonic() - began < 60


def test_the_lock_is_held_to_the_end(project: Make, songs: Postgres) -> None:
    """While the last migration runs, though migrate closed its connections before it."""
    look = EMPTY.replace("operations = []", "operations = [migrations.RunPython(look)]").replace(
        "class Migration",
        "def look(apps, editor):\n"
        "    from django.db import connections\n"
        "    with connections['default'].cursor() as cursor:\n"
        "        cursor.execute(\"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted\")\n"
        "        assert cursor.fetchone()[0] == 1\n"
        "class Migration",
    )
    made = reading(project, songs, DJ, cats___migrations___0002_look__py=look.format(before="0001_initial"))
    made.run("migrate", database=SONGS)
    assert songs.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"


def test_fault_90_the_database_is_down(project: Make, songs: Postgres) -> None:
    made = reading(project, songs, DJ)
    songs.stop()
    try:
        failure = made.failure("migrate", database=SONGS)
    finally:
        songs.start()
    assert (failure.step, failure.message) == (
        "migrate",
        "the database does not answer: start it, or correct where DATABASE_URL or DATABASES says it is",
    )
    assert made.run("migrate", database=SONGS)["applied"]
