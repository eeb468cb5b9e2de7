# SPDX-License-Identifier: GPL-3.0-or-later
"""The databases of Acts, in a real PostgreSQL: what is planned and made, who may connect, and what is never touched."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import databases
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host import names, process, users
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act

from ...conftest import Crew
from ...house import House
from ...servers import Postgres
from ...told import told

KITTENS = Act("kittens", database="postgresql")
DATA = "/srv/backstage/jazz/acts/kittens/data"


@pytest.fixture
def known(crewed: House) -> House:
    """A host whose role has said that it has PostgreSQL."""
    crewed.host = replace(crewed.host, has_database=True)
    return crewed


def planned(house: House, act: str = "kittens") -> list[tuple[str, Any, Any]]:
    """A plan as a run makes it: what PostgreSQL has is read anew."""
    steps = [change.step for change in Databases(house.production, house.host).plan(act)]
    return [(step.verb, step.before, step.after) for step in steps]


def made(house: House, act: str = "kittens") -> str:
    """Plan, make, and return the name."""
    for change in Databases(house.production, house.host).plan(act):
        assert change.make
        change.make()
    return names.player(house.production, act)


@pytest.fixture
def puppies(crew: Crew) -> Iterator[process.User]:
    """Another Act's player."""
    users.ensure_act(crew.production, "puppies", "/nonexistent")
    player, builder = (name(crew.production, "puppies") for name in (names.player, names.builder))
    yield process.User.named(player)
    users.remove(player)
    users.remove(builder)


URLS = [
    # (engine, production, act, port, DATABASE_URL)
    ("postgresql", "jazz", "kittens", 5432, "postgresql:///jazz-kittens"),
    ("postgresql", "jazz", "kittens", 5433, "postgresql://:5433/jazz-kittens"),
    ("postgresql", "j" * 15, "k" * 32, 5432, f"postgresql:///{names.player('j' * 15, 'k' * 32)}"),
    ("sqlite", "jazz", "kittens", 5432, f"sqlite:///{DATA}/db.sqlite3"),
]


@pytest.mark.parametrize(("engine", "production", "act", "port", "url"), URLS)
def test_url(engine: str, production: str, act: str, port: int, url: str) -> None:
    assert databases.url(Act(act, database=engine), production, DATA, port) == url


def test_what_django_has_to_find() -> None:
    assert databases.wanted(KITTENS, "jazz", DATA) == {"vendor": "postgresql", "name": "jazz-kittens"}
    sqlite = {"vendor": "sqlite", "name": f"{DATA}/db.sqlite3"}
    assert databases.wanted(Act("kittens", database="sqlite"), "jazz", DATA) == sqlite
    assert databases.wanted(Act("kittens"), "jazz", DATA) is None


def test_a_database_is_planned_and_made_once(cluster: Postgres, known: House, crew: Crew) -> None:
    name = crew.player.name
    assert planned(known) == [("create database", None, name)]
    assert cluster.ask("SELECT count(*) FROM pg_database WHERE oid >= 16384") == "0", "planning makes nothing"
    assert made(known) == name
    assert planned(known) == []
    said = cluster.ask(
        "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, shobj_description(r.oid,"
        " 'pg_authid'), rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolpassword IS NULL"
        " FROM pg_database JOIN pg_authid r ON rolname = datname WHERE r.oid >= 16384"
    )
    assert said == f"{name}|UTF8|C.UTF-8|Backstage {crew.production} kittens|t|f|f|f|t"


def test_fault_58_nobody_elses_database(cluster: Postgres, known: House, crew: Crew, puppies: process.User) -> None:
    """A's role connects to its own, and neither to B's nor to those that PostgreSQL opens to all."""
    mine, other = made(known), made(known, "puppies")
    work = "CREATE TABLE songs (name text); SELECT current_user"
    assert cluster.ask(work, mine, crew.player.uid) == f"CREATE TABLE\n{mine}"
    assert cluster.ask(work, other, puppies.uid) == f"CREATE TABLE\n{other}"
    for database in (other, "postgres", "template1"):
        said = cluster.ask("SELECT 1", database, crew.player.uid)
        assert f'permission denied for database "{database}"' in said
    # its builder has no role, and nobody has another one's
    assert f'role "{crew.builder.name}" does not exist' in cluster.ask("SELECT 1", mine, crew.builder.uid)
    assert "Peer authentication failed" in cluster.ask("SELECT 1", f"user={other} dbname={other}", crew.player.uid)


OPENED = [
    # (what somebody did, which database he opened, to whom)
    ('GRANT CONNECT ON DATABASE "{mine}" TO PUBLIC', "{mine}", "PUBLIC"),
    ("GRANT CONNECT ON DATABASE postgres TO PUBLIC", "postgres", "PUBLIC"),
    ("GRANT CONNECT ON DATABASE template1 TO PUBLIC", "template1", "PUBLIC"),
    ('GRANT CONNECT ON DATABASE "{mine}" TO "{other}"', "{mine}", "{other}"),
    ('GRANT CONNECT ON DATABASE postgres TO "{mine}"', "postgres", "{mine}"),
]


@pytest.mark.parametrize(("sql", "database", "guest"), OPENED)
def test_what_somebody_opened_is_closed(cluster: Postgres, known: House, sql: str, database: str, guest: str) -> None:
    both = {"mine": made(known), "other": made(known, "puppies")}
    assert cluster.ask(sql.format(**both)) == "GRANT"
    opened = {database.format(**both): [guest.format(**both)]}
    assert planned(known) == [("close database", {"may connect": opened}, None)]
    made(known)
    assert planned(known) == planned(known, "puppies") == []


def test_a_role_that_was_let_in_by_name_stays(cluster: Postgres, known: House) -> None:
    """Such as that of a backup: somebody meant it."""
    cluster.ask(f'CREATE ROLE backup; GRANT CONNECT ON DATABASE "{made(known)}", postgres TO backup')
    assert planned(known) == []


def test_a_database_that_somebody_dropped_is_made_again(cluster: Postgres, known: House) -> None:
    cluster.ask(f'DROP DATABASE "{made(known)}"')
    assert [verb for verb, _before, _after in planned(known)] == ["create database"]
    made(known)
    assert planned(known) == []


FOREIGN = [
    # (what is there, the refusal)
    (
        'CREATE ROLE "{name}"; COMMENT ON ROLE "{name}" IS $$of Ada$$',
        "the PostgreSQL role '{name}' exists and is not Backstage's (its comment says 'of Ada'); rename the Act, or"
        " drop that role",
    ),
    (
        'CREATE ROLE "{name}"; COMMENT ON ROLE "{name}" IS $$Backstage other kittens$$',
        "the PostgreSQL role '{name}' exists and is not Backstage's (its comment says 'Backstage other kittens');"
        " rename the Act, or drop that role",
    ),
    (
        'CREATE DATABASE "{name}"',
        "the database '{name}' exists and belongs to the PostgreSQL role 'daemon'; rename the Act, or that database",
    ),
]


@pytest.mark.parametrize(("sql", "said"), FOREIGN)
def test_what_is_somebody_elses_is_refused(cluster: Postgres, known: House, crew: Crew, sql: str, said: str) -> None:
    name = crew.player.name
    for statement in sql.format(name=name).split("; "):
        cluster.ask(statement)
    before = cluster.ask("SELECT array_agg(datname), (SELECT array_agg(rolname) FROM pg_roles) FROM pg_database")
    assert told(planned, known) == said.format(name=name)
    assert not Databases(known.production, known.host).has("kittens"), "nor is it deleted"
    assert (
        cluster.ask("SELECT array_agg(datname), (SELECT array_agg(rolname) FROM pg_roles) FROM pg_database") == before
    )


def test_deleting(cluster: Postgres, known: House, crew: Crew) -> None:
    """With whoever is connected; another Act's is not touched."""
    other = made(known, "puppies")
    mine = made(known)
    assert Databases(known.production, known.host).has("kittens")
    argv = [cluster.client, f"--dbname={mine}", "--command=SELECT pg_sleep(60)"]
    with subprocess.Popen(argv, user=crew.player.uid, cwd="/", stderr=subprocess.DEVNULL) as connected:
        while "pg_sleep" not in cluster.ask(
            "SELECT query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ):
            assert connected.poll() is None, "psql ended before it asked"
            time.sleep(0.02)
        Databases(known.production, known.host).drop("kittens")
    assert cluster.ask("SELECT datname FROM pg_database WHERE oid >= 16384") == other
    assert cluster.ask("SELECT rolname FROM pg_roles WHERE oid >= 16384") == other
    assert not Databases(known.production, known.host).has("kittens")
    assert f'role "{mine}" does not exist' in cluster.ask("SELECT 1", mine, crew.player.uid)


def test_a_database_that_was_given_away_is_not_deleted(cluster: Postgres, known: House) -> None:
    name = made(known)
    cluster.ask(f'ALTER DATABASE "{name}" OWNER TO daemon')
    assert "belongs to the PostgreSQL role 'daemon'" in told(Databases(known.production, known.host).drop, "kittens")
    assert cluster.ask("SELECT datname FROM pg_database WHERE oid >= 16384") == name


def test_a_role_with_more_than_its_database_is_told(cluster: Postgres, known: House) -> None:
    """In PostgreSQL's own words; the next run tries again."""
    name = made(known)
    cluster.ask(f'CREATE DATABASE reports OWNER "{name}"')
    said = told(Databases(known.production, known.host).drop, "kittens")
    reason = f'role "{name}" cannot be dropped because some objects depend on it'
    assert said == f"the database '{name}' could not be deleted: {reason}"
    assert Databases(known.production, known.host).has("kittens")


SAID = [
    # (what psql says, the reason)
    ("psql:<stdin>:2: ERROR:  no such thing\nDETAIL:  none\n", "no such thing"),
    ("psql: error: connection to server failed: refused\n\tIs it running?\n", "connection to server failed: refused"),
    (
        'WARNING:  database "postgres" has a collation version mismatch\nDETAIL:  It was made with 2.36.\n'
        "psql:<stdin>:2: ERROR:  no such thing\n",
        "no such thing",
    ),
    ("psql:<stdin>:2: NOTICE:  it is not there, skipping\npsql:<stdin>:3: ERROR:  it is in use\n", "it is in use"),
    ("", "psql ended with status 3"),
]


@pytest.mark.parametrize(("said", "reason"), SAID)
def test_the_reason(said: str, reason: str) -> None:
    assert databases._reason(process.Result(3, "", said)) == reason


def test_fault_90_postgresql_is_down(cluster: Postgres, known: House) -> None:
    """One sentence, asked once for all Acts; and nothing is to be done again when it is back."""
    name = made(known)
    cluster.stop()
    try:
        asked = Databases(known.production, known.host)
        for _act in range(2):
            said = told(asked.plan, "kittens")
            assert said.startswith("PostgreSQL does not answer on this host (connection to server on socket ")
            assert said.endswith("): start it, as the playbook backstage.django.site does, and run again")
        assert told(asked.has, "kittens") == said
    finally:
        cluster.start()
    assert planned(known) == []
    assert name in cluster.ask("SELECT array_agg(datname) FROM pg_database")


def test_one_question_for_all_acts(cluster: Postgres, known: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    tell = databases._psql

    def count(sql: str, *more: Any) -> process.Result:
        asked.append(sql)
        return tell(sql, *more)

    monkeypatch.setattr(databases, "_psql", count)
    found = Databases(known.production, known.host)
    for number in range(9):
        found.plan(f"act{number}")
    assert asked == [databases._STATE]


def test_without_the_role_of_the_host(crewed: House) -> None:
    """A plan takes it for granted that the same playbook installs it; a run says where it has to be."""
    assert [change.step.verb for change in Databases(crewed.production, crewed.host, planning=True).plan("a")] == [
        "create database"
    ]
    assert told(Databases(crewed.production, crewed.host).plan, "a").endswith(
        "put it into the inventory group backstage_database, and run the playbook backstage.django.site first"
    )
    assert Databases(crewed.production, crewed.host).has("a") is False


def test_without_psql(known: House, postgresql: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_SUPERUSER", "daemon")
    monkeypatch.setattr(databases, "_PSQL", "/nowhere/psql")
    said = "/nowhere/psql is missing on this host; run the playbook backstage.django.site first"
    assert told(planned, known) == said
    monkeypatch.setattr(databases, "_SUPERUSER", "nobody-at-all")
    assert told(planned, known) == "the system user 'nobody-at-all' is missing on this host"


QUOTED = [('a"b', '"a""b"', "'a\"b'"), ("a'b\\", '"a\'b\\"', "'a''b\\'"), ("a;b:c", '"a;b:c"', "'a;b:c'")]


@pytest.mark.parametrize(("text", "identifier", "literal"), QUOTED)
def test_quoting(cluster: Postgres, text: str, identifier: str, literal: str) -> None:
    """As PostgreSQL itself would, through psql, which has words of its own in a text."""
    assert (databases._identifier(text), databases._literal(text)) == (identifier, literal)
    found = databases._psql(f"SELECT {literal} AS {identifier};", databases.PORT)
    assert (found.ok, found.out.rstrip("\n")) == (True, text)


def test_a_failing_statement_ends_it_all(cluster: Postgres, known: House) -> None:
    with pytest.raises(BackstageError) as failure:
        Databases(known.production, known.host)._tell("SELECT 1/0; CREATE ROLE x;", "it failed")
    assert (failure.value.message, failure.value.step) == ("it failed: division by zero", "database")
    assert cluster.ask("SELECT count(*) FROM pg_roles WHERE oid >= 16384") == "0"
    assert Path(cluster.root, "server.log").exists()
