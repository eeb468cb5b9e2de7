# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The databases of Acts: a role and a database for each Act, in PostgreSQL on the Act's own host.

Both are named like the Act's player, whom PostgreSQL recognizes at the socket, so there is no password. The
role's comment names its owner. A role or database of somebody else is never touched.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional

from ..host import names, process, users
from ..host.errors import BackstageError
from ..host.facts import SITE, Host
from ..manifest.database import SQLITE
from ..manifest.nouns import Act
from ..state.plan import Change, Phase, Step

IN_A_FILE = ("sqlite3", "spatialite")
"""The endings of Django's own back ends for databases in files, for records of releases without a vendor."""
PORT = 5432
"""The port that every PostgreSQL client uses by default."""
SOCKETS = "/var/run/postgresql"
"""The directory of Debian's PostgreSQL sockets. A client takes a path for that, and needs no password."""

_PSQL = "/usr/bin/psql"
_SUPERUSER = "postgres"
_EVERYBODY = "PUBLIC"
_SHARED = ("postgres", "template1")
"""The databases that PostgreSQL opens to every role by default."""

_ANSWER_WITHIN = 60
_ANSWER = 16 * 2**20
"""The maximum size of an answer, which is JSON and can't be truncated."""
_STATE = """
SELECT json_build_object(
    'roles', (SELECT json_object_agg(rolname, coalesce(shobj_description(oid, 'pg_authid'), '')) FROM pg_roles),
    'databases', (SELECT json_object_agg(datname, pg_get_userbyid(datdba)) FROM pg_database),
    'guests', (
        SELECT json_agg(json_build_array(datname, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END))
        FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
        WHERE privilege_type = 'CONNECT' AND grantee <> datdba
    )
);
"""
# runs of several Productions would conflict in PostgreSQL's own tables
_TURN = "SELECT pg_advisory_lock(hashtext('backstage'));\n"
# template0 and C.UTF-8: the same on every host, whatever its locale was when PostgreSQL was installed. The order of
# an index then never changes with an upgrade of the C library.
_CREATE_ROLE = "BEGIN; CREATE ROLE {name} LOGIN; COMMENT ON ROLE {name} IS {mark}; COMMIT;"
_CREATE = (
    "CREATE DATABASE {name} OWNER {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';"
    "REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
)
_DROP = "DROP DATABASE IF EXISTS {name} WITH (FORCE); DROP ROLE {name};"


def url(act: Act, production: str, data: str, port: int) -> str:
    """DATABASE_URL of an Act: no user and no host, so PostgreSQL is reached by the socket, as who asks.

    Args:
        act: the Act, with an engine.
        production: its Production.
        data: its data directory, for whoever runs it.
        port: the one that names the socket.
    """
    if act.database == SQLITE:
        return f"sqlite:///{_file(data)}"
    return f"postgresql://{'' if port == PORT else f':{port}'}/{names.player(production, act.name)}"


def placeholders(act: Act, production: str, data: str, port: int) -> dict[str, str]:
    """Return what an Act's ``env`` may use of its database; nothing if the project configures its own."""
    if not act.database:
        return {}
    told = {"database_url": url(act, production, data, port)}
    if act.database == SQLITE:
        return {**told, "database": _file(data), "database_user": "", "database_host": "", "database_port": ""}
    name = names.player(production, act.name)
    return {**told, "database": name, "database_user": name, "database_host": SOCKETS, "database_port": str(port)}


def wanted(act: Act, production: str, data: str) -> Optional[dict[str, str]]:
    """Return Django's expected default database; None if the project configures its own."""
    if not act.database:
        return None
    name = _file(data) if act.database == SQLITE else names.player(production, act.name)
    return {"vendor": act.database, "name": name}


def _file(data: str) -> str:
    return os.path.join(data, "db.sqlite3")


@dataclass(frozen=True)
class Cluster:
    """The roles and databases of PostgreSQL on this host.

    Args:
        roles: name -> its comment.
        databases: name -> its owner.
        guests: database -> the roles besides its owner that may connect.
    """

    roles: dict[str, str]
    databases: dict[str, str]
    guests: dict[str, list[str]]

    def intruders(self, name: str) -> dict[str, list[str]]:
        """Return the roles that may connect but should not: everybody, and other Acts. A role let in by name may."""
        found = {}
        for database in (name, *_SHARED):
            guests = [guest for guest in self.guests.get(database, []) if self._is_kept_out(guest)]
            if guests:
                found[database] = sorted(guests)
        return found

    def _is_kept_out(self, guest: str) -> bool:
        return guest == _EVERYBODY or self.roles.get(guest, "").startswith(f"{users.MARK} ")


class Databases:
    """The databases of a Production's Acts. PostgreSQL is queried at most once.

    Args:
        production: its name.
        host: the host's facts.
        planning: whether nothing is made in this run, so that a missing PostgreSQL is not a failure.
    """

    def __init__(self, production: str, host: Host, planning: bool = False) -> None:
        self.production = production
        self.host = host
        self.planning = planning
        self._found: Optional[Cluster] = None
        self._failure: Optional[BackstageError] = None

    def plan(self, act: str) -> list[Change]:
        """Return the changes after which an Act has a database that only it can connect to.

        Raises:
            BackstageError: PostgreSQL does not answer, or the name belongs to somebody else.
        """
        name, cluster = names.player(self.production, act), self._cluster()
        if self.lacks(act):
            make = partial(self._create, act, name not in cluster.roles)
            return [Change(Step("act", act, "create database", None, name), Phase.MIGRATE, act, make)]
        guests = cluster.intruders(name)
        if not guests:
            return []
        make = partial(self._close, guests)
        return [Change(Step("act", act, "close database", {"may connect": guests}), Phase.MIGRATE, act, make)]

    def lacks(self, act: str) -> bool:
        """Return whether an Act has no database yet.

        Raises:
            BackstageError: as ``plan``.
        """
        name, cluster = names.player(self.production, act), self._cluster()
        if name in cluster.roles and cluster.roles[name] != self._mark(act):
            raise BackstageError(
                f"the PostgreSQL role '{name}' exists and is not Backstage's (its comment says"
                f" '{cluster.roles[name]}'); rename the Act, or drop that role",
                step="database",
            )
        owner = cluster.databases.get(name)
        if owner not in (None, name):
            raise BackstageError(
                f"the database '{name}' exists and belongs to the PostgreSQL role '{owner}'; rename the Act, or that"
                " database",
                step="database",
            )
        return owner is None

    def has(self, act: str) -> bool:
        """Return whether an Act has anything in PostgreSQL; False on a host without it.

        Raises:
            BackstageError: PostgreSQL does not answer.
        """
        name = names.player(self.production, act)
        return self.host.has_database and self._cluster().roles.get(name) == self._mark(act)

    def drop(self, act: str) -> None:
        """Delete an Act's database and role.

        Raises:
            BackstageError: PostgreSQL refuses.
        """
        self.lacks(act)  # a database of this name may have another owner now
        name = names.player(self.production, act)
        self._tell(_DROP.format(name=_identifier(name)), f"the database '{name}' could not be deleted")

    def _create(self, act: str, role: bool) -> None:
        name = names.player(self.production, act)
        statements = (_CREATE_ROLE if role else "") + _CREATE
        sql = statements.format(name=_identifier(name), mark=_literal(self._mark(act)))
        self._tell(sql, f"the database '{name}' could not be made")
        shared = self._cluster().intruders("")
        if shared:
            self._close(shared)

    def _close(self, guests: dict[str, list[str]]) -> None:
        lines = [
            f"REVOKE CONNECT ON DATABASE {_identifier(database)}"
            f" FROM {guest if guest == _EVERYBODY else _identifier(guest)};"
            for database, found in guests.items()
            for guest in found
        ]
        self._tell("\n".join(lines), "the databases could not be closed")

    def _mark(self, act: str) -> str:
        return f"{users.MARK} {self.production} {act}"

    def _cluster(self) -> Cluster:
        if self._failure:
            raise self._failure
        if self._found is None:
            try:
                self._found = self._read()
            except BackstageError as error:
                self._failure = error
                raise
        return self._found

    def _read(self) -> Cluster:
        if self.planning and not self.host.has_database:
            return Cluster({}, {}, {})
        self.host.need_database()
        result = _psql(_STATE, self.host.database_port, _ANSWER_WITHIN)
        if not result.ok:
            raise BackstageError(
                f"PostgreSQL does not answer on this host ({_reason(result)}): start it, as the playbook"
                " backstage.django.site does, and run again",
                step="database",
            )
        found = json.loads(result.out)
        guests: dict[str, list[str]] = {}
        for database, guest in found["guests"] or []:
            guests.setdefault(database, []).append(guest)
        return Cluster(found["roles"], found["databases"], guests)

    def _tell(self, sql: str, failed: str) -> None:
        self.host.need_database()
        result = _psql(_TURN + sql, self.host.database_port)
        if not result.ok:
            raise BackstageError(f"{failed}: {_reason(result)}", step="database", log=result.err)


def default(record: dict[str, Any]) -> dict[str, str]:
    """Return engine and name of Django's `default` database in the record of a release."""
    found: dict[str, str] = record.get("databases", {}).get("default", {"engine": "", "name": ""})
    return found


def in_a_file(database: dict[str, str]) -> bool:
    """Return whether a database in a release's record is SQLite's. Its back end may be one of the project's own."""
    vendor = database.get("vendor")
    return vendor == SQLITE if vendor else database["engine"].endswith(IN_A_FILE)


def sealed(record: dict[str, Any], code: str, base: str, writable: list[str]) -> str:
    """Return the file of the default database if it is in the code and not writable; else empty.

    Args:
        record: the release's record.
        code: its code.
        base: the directory that the manifest's paths are relative to.
        writable: the writable paths.
    """
    database = default(record)
    if not in_a_file(database) or database["name"].startswith((":", "file:")):
        return ""
    path = os.path.join(code, record.get("project", ""), database["name"])
    inside = os.path.relpath(path, base)
    if not path.startswith(code + "/") or any((inside + "/").startswith(one.rstrip("/") + "/") for one in writable):
        return ""
    return inside


def _psql(sql: str, port: int, timeout: float = 3600) -> process.Result:
    """Run statements as PostgreSQL's superuser. The first failure ends them."""
    superuser = process.User.named(_SUPERUSER)
    if not os.path.exists(_PSQL):
        raise BackstageError(f"{_PSQL} is missing on this host; {SITE}", step="database")
    options = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password", "--set=ON_ERROR_STOP=1"]
    argv = [_PSQL, *options, f"--port={port}", "--dbname=postgres"]
    # a stopped server accepts the connection and never answers
    return process.run(argv, superuser, {"PGCONNECT_TIMEOUT": "10"}, stdin=sql, timeout=timeout, keep=_ANSWER)


def _reason(result: process.Result) -> str:
    """Return PostgreSQL's first error, without the program's name and position. Warnings may come before it."""
    said = result.err.strip().splitlines() or [f"psql ended with status {result.code}"]
    errors = (line for line in said if re.search(r"(ERROR|FATAL|error): ", line))
    return re.sub(r"(psql:(<stdin>:\d+:)? )?(ERROR|error): +", "", next(errors, said[0]), count=1)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
