# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to databases: opened, away, killed, away at a boot, somebody else's, and deleted. In their order."""

from __future__ import annotations

import re
from typing import Any

from conftest import Choir

NEW = {"acts": {name: {"env": {"EDITION": "new"}} for name in ("alto", "bass", "tenor")}}
AWAY = (
    r"act {act}, database on {host}: PostgreSQL does not answer on this host \(connection to server on socket .*\): start"
    r" it, as the playbook backstage\.django\.site does, and run again"
)


def test_what_somebody_opened_is_closed(choir: Choir) -> None:
    """The plan says it, and the run after the next one has nothing to do."""
    choir.ask('GRANT CONNECT ON DATABASE "choir-alto" TO PUBLIC')
    planned = choir.play("--check")
    assert planned.last["plan"][0]["before"] == {"may connect": {"choir-alto": ["PUBLIC"]}}
    assert choir.ask("SELECT 1", "choir-alto", "choir-bass") == ["1", "1"]
    assert choir.plays() == ["act alto: close database"]
    assert all("permission denied" in said for said in choir.ask("SELECT 1", "choir-alto", "choir-bass"))
    assert choir.plays() == []


def test_fault_90_postgresql_is_away(choir: Choir) -> None:
    """The Acts play on and say 500; a deploy leaves them alone with a sentence, and deploys the one in SQLite."""
    before = [house.traces("alto") for house in choir.houses]
    choir.sh("systemctl stop postgresql")
    for found in choir.info():
        assert [answer["status"] for answer in found["answers"]] == [500, 500, 200]
        assert {sess["state"] for sess in found["sesses"].values()} == {"playing"}
    run = choir.play(**NEW)
    for number, lines in enumerate(sorted(choir.refusals(run)), 1):
        assert len(lines) == 2
        for act, line in zip(("alto", "bass"), lines):
            assert re.fullmatch(AWAY.format(act=act, host=f"h{number}"), line), line
    assert [house.traces("alto") for house in choir.houses] == before
    assert all("EDITION" in str(house.get("tenor.example.com", "/variables/")["page"]) for house in choir.houses)
    log = choir.houses[0].host.read("/var/log/backstage/choir/alto.log")
    assert "connection to server on socket" in log, "who looks into the log is told"


def test_fault_90_postgresql_comes_back(choir: Choir) -> None:
    """Without a run; and the run that failed converges."""
    choir.sh("systemctl start postgresql")
    assert choir.answer("alto", 10)
    assert choir.answer("bass", 10)
    assert {"act alto: build", "act bass: build", "sess alto: play", "sess bass: play"} <= set(choir.plays(**NEW))
    assert choir.plays(**NEW) == []


def test_fault_90_postgresql_is_killed(choir: Choir) -> None:
    """systemd does not start it again, and the unit above it says that all is well: the playbook site sees it."""
    choir.sh("kill -KILL $(head -n 1 /var/lib/postgresql/*/main/postmaster.pid); sleep 1")
    assert choir.statuses("alto") == [500, 500]
    assert choir.play(playbook="site", **NEW).code == 0
    assert choir.answer("alto", 10)


def test_fault_90_postgresql_is_away_at_boot(choir: Choir) -> None:
    choir.sh("systemctl disable postgresql")
    for house in choir.houses:
        house.host.garage("reboot")
    assert choir.answer("tenor", 30)
    assert choir.soon(lambda house: house.get("alto.example.com")["status"] == 500, 30)
    assert choir.sh("pg_lsclusters --no-header | grep -c down") == ["1", "1"]
    choir.sh("systemctl enable --now postgresql")
    assert choir.answer("alto", 10)
    assert choir.plays(**NEW) == []


def soprano(name: str, choir: Choir, **more: Any) -> dict[str, Any]:
    """One more Act, made as the alto."""
    (alto,) = [act for act in choir.houses[0].manifest["backstage_acts"] if act["name"] == "alto"]
    return {"files": alto["files"], "secrets": {"SECRET_KEY": f"the-secret-key-of-{name}", **more}}


def test_a_database_of_its_own_that_does_not_do(choir: Choir) -> None:
    """One sentence each, before anything is played; what plays is not touched."""
    choir.ask('CREATE ROLE "choir-foreign"')
    wrong = "postgresql://ada:not-her-password@127.0.0.1/songs"
    acts = {
        **NEW["acts"],
        "wrong": soprano("wrong", choir, DATABASE_URL=wrong),
        "away": soprano("away", choir, DATABASE_URL=wrong.replace("127.0.0.1", "127.0.0.1:1")),
        "foreign": {**soprano("foreign", choir), "database": {"engine": "postgresql"}},
    }
    for number, lines in enumerate(sorted(choir.refusals(choir.play(acts=acts))), 1):
        assert sorted(lines) == [
            f"act away, migrate on h{number}: the database does not answer: start it, or correct where DATABASE_URL or"
            " DATABASES says it is",
            f"act foreign, database on h{number}: the PostgreSQL role 'choir-foreign' exists and is not Backstage's (its"
            " comment says ''); rename the Act, or drop that role",
            f"act wrong, migrate on h{number}: the database refuses the password of 'ada': correct it in 'secrets'",
        ]
    assert choir.statuses("alto") == [200, 200]
    choir.ask('DROP ROLE "choir-foreign"')


def left(choir: Choir) -> list[str]:
    """The Acts' databases and roles on each host."""
    sql = "SELECT datname FROM pg_database WHERE datname ~ '^choir' UNION ALL SELECT rolname FROM pg_roles"
    return choir.ask(f"SELECT string_agg(datname, ' ' ORDER BY datname) FROM ({sql} WHERE rolname ~ '^choir') AS found")


def test_a_removed_act_keeps_its_database(choir: Choir) -> None:
    gone = {
        "acts": {**NEW["acts"], "alto": {"state": "absent"}},
        "gigs": {"alto": {"state": "absent"}},
        "venues": {"alto.example.com": {"state": "absent"}},
    }
    assert "act alto: remove" in choir.plays(**gone)
    assert left(choir) == ["choir-alto choir-alto choir-bass choir-bass"] * 2
    assert choir.plays(**gone, backstage_delete_data=["alto"]) == ["act alto: delete data"]
    assert left(choir) == ["choir-bass choir-bass"] * 2
    assert choir.statuses("bass") == [200, 200]


def test_a_strike_with_data(choir: Choir) -> None:
    """What Backstage made is gone, and PostgreSQL is as it was; other databases stay."""
    choir.ask("CREATE DATABASE somebodys")
    kept = choir.play(playbook="strike")
    assert kept.code == 0
    assert left(choir) == ["choir-bass choir-bass"] * 2
    assert choir.sh("ls /etc/backstage/database.json") == ["/etc/backstage/database.json"] * 2
    struck = choir.play(playbook="strike", backstage_delete_data=["alto", "bass", "tenor", "wrong", "away", "foreign"])
    assert struck.code == 0, struck.printed[-3000:]
    assert left(choir) == [""] * 2
    assert choir.sh("ls -d /etc/backstage /srv/backstage 2>&1 | grep -c 'No such'") == ["2", "2"]
    assert choir.ask("SELECT count(*) FROM pg_database WHERE datname = 'somebodys'") == ["1", "1"]
