# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps before migrations, and restores, in PostgreSQL and in SQLite."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Choir

UNTITLED = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("busker", "0001_initial")]
    operations = [migrations.RemoveField("song", "title")]
"""
SINGERS = ["alto", "tenor"]


def dumping(choir: Choir, *files: dict[str, str]) -> dict[str, Any]:
    """Both Acts with dumps, and with more files in their code."""
    acts = {act["name"]: act for act in choir.manifest["backstage_acts"]}
    return {"acts": {name: {"dump": True, "files": [*acts[name]["files"], *files]} for name in SINGERS}}


def titles(choir: Choir, act: str, insert: str = "") -> str:
    """What an Act's own user reads in its database."""
    if act == "alto":
        sql = [insert, "SELECT string_agg(title, ' ') FROM busker_song"]
        said = choir.ask(";\n".join(sql), "choir-alto", "choir-alto")
        return said if "ERROR" in said else said.splitlines()[-1]
    file = f"{choir.root}/acts/tenor/data/db.sqlite3"
    script = f"import sqlite3; d = sqlite3.connect({file!r}); d.execute({insert!r}); d.commit();"
    script += " print(*[row[0] for row in d.execute('SELECT title FROM busker_song')])"
    command = choir.host.run("runuser", "-u", "choir-tenor", "--", "python3", "-c", script, check=False)
    return command.strip().splitlines()[-1]


def test_a_dump_before_a_migration_that_deletes(choir: Choir) -> None:
    """fault_15, fault_18: without it the titles were gone. Nobody but root can read it."""
    assert choir.verbs(**dumping(choir)) == ["act alto: change", "act tenor: change"]
    for act in SINGERS:
        assert titles(choir, act, "INSERT INTO busker_song (title) VALUES ('yesterday')") == "yesterday"
    verbs = choir.verbs(**dumping(choir, {"path": "busker/migrations/0002_untitled.py", "content": UNTITLED}))
    assert [verb for verb in verbs if "dump" in verb] == ["act alto: dump", "act tenor: dump"]
    for act in SINGERS:
        assert "title" in titles(choir, act), "there is no such column"
        assert choir.status(act) == 200
        player = f"choir-{act}"
        path = f"{choir.root}/acts/{act}/dumps"
        assert not choir.host.ok(f"runuser -u {player} -- ls {path}")
        assert choir.host.sh(f"find {path} -perm /077 -o ! -user root").strip() == ""


@pytest.mark.parametrize("act", SINGERS)
def test_the_way_back(choir: Choir, act: str) -> None:
    """A rollback names it; the second run does nothing, and the next deploy plays what the manifest says."""
    told = choir.play(playbook="rollback", act=act, **dumping(choir))
    assert told.code != 0
    assert "; or restore the dump of " in told.message
    release = told.message.partition(f"-e act={act} -e release=")[2].partition(";")[0]
    run = choir.play(playbook="restore", act=act, release=release, **dumping(choir))
    assert run.code == 0, run.printed[-3000:]
    assert [step["verb"] for step in run.last["plan"]] == ["restore", "roll back"]
    assert titles(choir, act) == "yesterday"
    assert choir.status(act) == 200
    assert choir.play(playbook="restore", act=act, release=release, **dumping(choir)).changed == 0


def test_what_was_left_is_let_go(choir: Choir) -> None:
    """The manifest asks for the restored releases again: nothing is built or migrated."""
    assert {verb.partition(": ")[2] for verb in choir.verbs()} == {"unhold", "change"}
    assert choir.verbs() == []
