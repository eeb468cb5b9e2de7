# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act with two releases of a real Django project, of which the second has a migration that deletes something."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional

from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act
from ansible_collections.backstage.django.plugins.module_utils.state.plan import Change

from . import projects
from .emperors import Emperor
from .house import KITTENS, A, B, House, wanted
from .servers import Postgres

KEY = "e" * 16
GRAPH: dict[str, list[str]] = {"cats.0001_initial": []}
NEWER = {**GRAPH, "cats.0002_nameless": []}
SETTINGS = projects.settings("INSTALLED_APPS = ['cats']")
IN_POSTGRESQL = projects.settings(
    "INSTALLED_APPS = ['cats']; import dj_database_url; DATABASES = {'default': dj_database_url.config()}"
)
NAMELESS = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("cats", "0001_initial")]
    operations = [migrations.RemoveField("cat", "name")]
"""
FAILS = NAMELESS.replace("[migrations.R", '[migrations.RunSQL("SELECT 1 FROM nonesuch"), migrations.R')

_MIGRATED: list[bytes] = []
"""The database file of A in SQLite, once a test has made it."""


@dataclass
class Troupe:
    """The Act kittens on a host with real users; A plays and has migrated, and B is built.

    Args:
        house: the host.
        cluster: its PostgreSQL, if the Act has its database there; else the Act has SQLite.
        act: the Act in the manifest.
        emperor: whoever plays it.
    """

    house: House
    django: Path
    cluster: Optional[Postgres] = None
    act: Act = field(default=KITTENS)
    emperor: Optional[Emperor] = None

    def __post_init__(self) -> None:
        acts.prepare(self.house.act())
        engine = "postgresql" if self.cluster else "sqlite"
        self.act = replace(self.act, database=engine, dump=True)
        os.symlink(self.django, self.house.paths.environment(KEY))
        self.build(A, GRAPH)
        self.build(B, NEWER, cats___migrations___0002_nameless__py=NAMELESS)
        if self.cluster:
            for change in Databases(self.house.production, self.house.host).plan("kittens"):
                assert change.make
                change.make()
        self._migrate()
        self.house.play(self.want(A))
        self.write("INSERT INTO cats_cat (name) VALUES ('tom')")

    def _migrate(self) -> None:
        """Have A migrated: by the real Django, or in SQLite by a copy of what that made for an earlier test."""
        if self.cluster or not _MIGRATED:
            self.run(A)
            if not self.cluster:
                _MIGRATED.append(self.file.read_bytes())
            return
        self.file.write_bytes(_MIGRATED[0])
        self.file.chmod(0o600)
        owner = self.file.parent.stat()
        os.chown(self.file, owner.st_uid, owner.st_gid)
        self.house.log({"event": "migrated", "release": A, "applied": ["cats.0001_initial"], "database": "sqlite"})

    def build(self, release: str, graph: dict[str, list[str]], **texts: str) -> None:
        self.house.build(release, graph=graph, migrated=["default"], migrations=release[:1] * 64)
        code = Path(self.house.act().release(release).code)
        own = IN_POSTGRESQL if self.cluster else SETTINGS
        projects.write(code, **{"kittens___settings__py": own, **texts})
        for path in (code, *code.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def want(self, release: str) -> acts.Want:
        return replace(wanted(self.act), release=release, play=release)

    def changes(self, release: str) -> list[Change]:
        """What a deploy of a release does to the databases, and to what killed runs have left."""
        known = Databases(self.house.production, self.house.host)
        planned = acts.plan(self.want(release), self.house.state(), self.house.host, known, "migrate", {})
        return [change for change in planned if change.step.verb in ("sweep", "dump", "migrate")]

    def verbs(self, release: str) -> list[str]:
        return [change.step.verb for change in self.changes(release)]

    def run(self, release: str) -> None:
        for change in self.changes(release):
            assert change.make
            change.make()

    @property
    def player(self) -> str:
        return names.player(self.house.production, "kittens")

    @property
    def file(self) -> Path:
        return Path(self.house.act().data, "db.sqlite3")

    def ask(self, sql: str) -> str:
        """What the Act's own database says: rows, or the error."""
        if self.cluster:
            return self.cluster.ask(sql, self.player, self.file.parent.stat().st_uid)
        with closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            try:
                return "\n".join("|".join(map(str, row)) for row in database.execute(sql).fetchall())
            except sqlite3.Error as error:
                return str(error)

    def write(self, sql: str) -> None:
        said = self.ask(sql)
        assert said in ("", "INSERT 0 1", "UPDATE 1", "CREATE TABLE"), said

    def cats(self) -> str:
        return self.ask("SELECT name FROM cats_cat ORDER BY name")

    def migrations(self) -> str:
        return self.ask("SELECT name FROM django_migrations ORDER BY name").replace("\n", " ")

    def dumps(self) -> list[str]:
        path = Path(self.house.act().dumps)
        return sorted(os.listdir(path)) if path.exists() else []
