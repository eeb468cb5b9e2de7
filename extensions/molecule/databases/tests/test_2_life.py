# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases that are opened to others, stopped, away at a boot, foreign, and deleted. The tests run in this order."""

from __future__ import annotations

import re
from typing import Any

from conftest import Choir

NEW = {"acts": {name: {"env": {"EDITION": "new"}} for name in ("alto", "bass", "tenor")}}
AWAY = (
    r"act {act}, database on h2: PostgreSQL does not answer on this host \(connection to server on socket .*\):"
    r" start it, as the playbook backstage\.django\.site does, and run again"
)


def test_a_run_revokes_what_somebody_granted(choir: Choir) -> None:
    """The plan shows it, and the second run changes nothing."""
    choir.ask('GRANT CONNECT ON DATABASE "choir-alto" TO PUBLIC')
    (planned,) = choir.plays("--check")
    assert planned["before"] == {"may connect": {"choir-alto": ["PUBLIC"]}}
    assert choir.ask("SELECT 1", "choir-alto", "choir-bass") == "1"
    assert choir.verbs() == ["act alto: close database"]
    assert "permission denied" in choir.ask("SELECT 1", "choir-alto", "choir-bass")
    assert choir.verbs() == []


def test_fault_90_postgresql_is_killed(choir: Choir) -> None:
    """The Acts play on and answer 500. A deploy names the cause for them, and deploys the Act with SQLite."""
    before = choir.traces("alto")
    choir.host.sh("kill -KILL $(head -n 1 /var/lib/postgresql/*/main/postmaster.pid)")
    found = choir.told()
    assert [answer["status"] for answer in found["answers"]] == [500, 500, 200]
    assert {sess["state"] for sess in found["sesses"].values()} == {"playing"}
    lines = choir.refused(choir.play(**NEW))
    assert len(lines) == 2
    for act, line in zip(("alto", "bass"), lines):
        assert re.fullmatch(AWAY.format(act=act), line), line
    assert choir.traces("alto") == before
    assert "EDITION" in str(choir.get("tenor.example.com", "/variables/")["page"])
    log = choir.host.read("/var/log/backstage/choir/alto.log")
    assert "connection to server on socket" in log, "who looks into the log is told"


def test_fault_90_postgresql_comes_back(choir: Choir) -> None:
    """The Acts reconnect without a run, and the run that failed converges."""
    choir.host.sh("pg_ctlcluster $(pg_lsclusters --no-header | cut -d ' ' -f 1) main start")
    assert choir.answers_within("alto.example.com", 10)
    assert choir.answers_within("bass.example.com", 10)
    assert {"act alto: build", "act bass: build", "sess alto: play", "sess bass: play"} <= set(choir.verbs(**NEW))


def test_fault_90_postgresql_is_away_at_boot(choir: Choir) -> None:
    """The Acts start all the same. The playbook site starts PostgreSQL, and enables it for every boot."""
    choir.host.sh("systemctl disable postgresql")
    choir.host.garage("reboot")
    assert choir.answers_within("tenor.example.com", 30)
    assert choir.within(30, lambda: choir.status("alto") == choir.status("bass") == 500)
    assert choir.verbs(playbook="site", **NEW) == []
    assert choir.answers_within("alto.example.com", 10)
    assert choir.host.sh("systemctl is-enabled postgresql").strip() == "enabled"


def soprano(choir: Choir, name: str, **more: Any) -> dict[str, Any]:
    """Return one more Act, like alto."""
    (alto,) = [act for act in choir.manifest["backstage_acts"] if act["name"] == "alto"]
    return {"files": alto["files"], "secrets": {"SECRET_KEY": f"the-secret-key-of-{name}", **more}}


def test_a_database_that_can_not_be_used(choir: Choir) -> None:
    """Each gets one error line before anything is played. What plays is not touched."""
    choir.ask('CREATE ROLE "choir-foreign"')
    wrong = "postgresql://ada:not-her-password@127.0.0.1/songs"
    acts = {
        **NEW["acts"],
        "wrong": soprano(choir, "wrong", DATABASE_URL=wrong),
        "away": soprano(choir, "away", DATABASE_URL=wrong.replace("127.0.0.1", "127.0.0.1:1")),
        "foreign": {**soprano(choir, "foreign"), "database": {"engine": "postgresql"}},
    }
    run = choir.play(acts=acts)
    choir.ask('DROP ROLE "choir-foreign"')
    assert sorted(choir.refused(run)) == [
        "act away, migrate on h2: the database does not answer: start it, or correct where DATABASE_URL or DATABASES"
        " says it is",
        "act foreign, database on h2: the PostgreSQL role 'choir-foreign' exists and is not Backstage's (its comment"
        " says ''); rename the Act, or drop that role",
        "act wrong, migrate on h2: the database refuses the password of 'ada': correct it in 'secrets'",
    ]
    assert choir.status("alto") == 200


def test_a_removed_act_keeps_its_database(choir: Choir) -> None:
    gone = {
        "acts": {**NEW["acts"], "alto": {"state": "absent"}},
        "gigs": {"alto": {"state": "absent"}},
        "venues": {"alto.example.com": {"state": "absent"}},
    }
    assert "act alto: remove" in choir.verbs(**gone)
    assert choir.left() == "choir-alto choir-alto choir-bass choir-bass"
    assert choir.verbs(**gone, backstage_delete_data=["alto"]) == ["act alto: delete data"]
    assert choir.left() == "choir-bass choir-bass"
    assert choir.status("bass") == 200


def test_strike_with_data_deletes_databases(choir: Choir) -> None:
    """What Backstage made is gone. PostgreSQL and other databases stay. Acts that keep their data keep their access."""
    choir.ask("CREATE DATABASE somebodys")
    assert choir.play(playbook="strike").code == 0
    assert choir.left() == "choir-bass choir-bass"
    assert choir.host.ok("test -e /etc/backstage/database.json")
    struck = choir.play(playbook="strike", backstage_delete_data=["alto", "bass", "tenor", "wrong", "away", "foreign"])
    assert struck.code == 0, struck.printed[-3000:]
    assert choir.left() == ""
    assert choir.host.ok("test ! -e /etc/backstage && test ! -e /srv/backstage")
    assert choir.ask("SELECT datname FROM pg_database WHERE datname = 'somebodys'") == "somebodys"
