# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL as the role configures it, and who may connect to which database."""

from __future__ import annotations

import shlex
from typing import Any

import house
import pytest

testinfra_hosts = ["ansible://backstage_database"]

PLAYERS = {"alto": "choir-alto", "bass": "choir-bass", "tenor": "choir-tenor"}
DATABASES = ["choir-alto", "choir-bass", "postgres", "template1"]


def connect(host: Any, user: str, database: str, sql: str = "SELECT current_user") -> str:
    """Run SQL as a user of the host, through the socket, and return the answer."""
    words = ["runuser", "-u", user, "--", "psql", "--no-psqlrc", "-Atw", "-d", database, "-c", sql]
    said: str = host.run(f"cd /; {shlex.join(words)} 2>&1").stdout
    return said.strip()


def test_the_service_runs_now_and_at_every_boot(host: Any) -> None:
    assert host.service("postgresql").is_enabled
    assert house.lines(host, "pg_lsclusters", "--no-header")[0].split()[:4][1:] == ["main", "5432", "online"]


def test_the_files_of_the_role_name_no_manifest(host: Any) -> None:
    """They hold no value of a manifest, and PostgreSQL's own configuration is unchanged."""
    path = "/etc/backstage/database.json"
    assert house.record(host, path) == {"managed_by": "backstage.django", "format": 1, "database_port": 5432}
    assert str(house.found(host, path)[path]) == "root:root 0644"
    assert host.run("dpkg --verify postgresql-common").stdout == ""


@pytest.mark.parametrize("user", [*PLAYERS.values(), "choir_alto", "www-data", "nobody"])
@pytest.mark.parametrize("database", DATABASES)
def test_fault_58_an_act_connects_to_its_own_database_alone(host: Any, user: str, database: str) -> None:
    said = connect(host, user, database)
    if user == database:
        assert said == user
    else:
        known = user in ("choir-alto", "choir-bass")
        reason = f'permission denied for database "{database}"' if known else f'role "{user}" does not exist'
        assert reason in said


def test_fault_58_no_user_connects_as_another_role(host: Any) -> None:
    assert 'Peer authentication failed for user "choir-bass"' in connect(host, "choir-alto", "user=choir-bass")
    assert "no password supplied" in connect(host, "choir-alto", "host=127.0.0.1 user=choir-bass dbname=choir-bass")


def test_no_role_has_a_password_or_a_right(host: Any) -> None:
    sql = (
        "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
        " OR rolpassword IS NOT NULL, shobj_description(oid, 'pg_authid') FROM pg_authid WHERE rolname ~ '^choir'"
    )
    assert sorted(connect(host, "postgres", "postgres", sql).splitlines()) == [
        "choir-alto|f|Backstage choir alto",
        "choir-bass|f|Backstage choir bass",
    ]


def test_the_acts_get_the_url_of_their_database(host: Any) -> None:
    acts = house.acts(host, "choir")
    told = {name: host.file(f"{act.sess_root}/env/DATABASE_URL").content_string for name, act in acts.items()}
    assert told == {
        "alto": "postgresql:///choir-alto\n",
        "bass": "postgresql:///choir-bass\n",
        "tenor": "sqlite:////srv/backstage/choir/acts/tenor/data/db.sqlite3\n",
    }


def test_each_act_stores_its_data_in_its_database(host: Any) -> None:
    for name in ("alto", "bass"):
        assert connect(host, PLAYERS[name], PLAYERS[name], "SELECT count(*) FROM busker_song") == "0"
    assert host.file("/srv/backstage/choir/acts/tenor/data/db.sqlite3").user == "choir-tenor"
    for name in PLAYERS:
        assert house.ask(house.address(host), f"{name}.example.com").json()["songs"] == 0
