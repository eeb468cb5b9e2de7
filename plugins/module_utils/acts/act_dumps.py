# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dump databases inside the Act's own Python, whose settings know where they are, and restore them.

The module feeds this file to the interpreter before act_steps. It imports nothing of Backstage.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

# pylint: disable=used-before-assignment # the interpreter gets all five files as one program
if TYPE_CHECKING:  # all of it is one program
    from .act_migrations import alone, databases, in_database, pending
    from .act_program import Options, step

Write = Callable[[bytes], None]
CHUNK = 2**20
COPY = ".backstage-dump"
"""A file in the Act's data directory: SQLite copies only from file to file. It exists during a dump or a restore."""
PARTS = ("", "-journal", "-wal", "-shm")
OTHERS_SECONDS = 10
"""The time that a dump or a restore waits for other connections."""
STREAM: list[int] = []
"""The descriptor of the original standard output, which takes the dump."""
LIBPQ = ("service", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey")
TABLES = """
SELECT coalesce(sum(pg_table_size(c.oid)), 0), count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'm', 'p') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
"""
OWNED = "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()"
BEGIN = f"BEGIN;\nSET LOCAL lock_timeout = '{OTHERS_SECONDS}s';\nDROP OWNED BY CURRENT_USER;\n"
IN_USE = (
    "another connection has used the database for {seconds} s: end it first, such as a command of the playbook manage"
)


def claim_output() -> None:
    """Keep the standard output for the dump. What the project prints goes to the log."""
    STREAM.append(os.dup(1))
    os.set_inheritable(STREAM[0], False)
    os.dup2(2, 1)


def survey(_options: Options) -> dict[str, Any]:
    """Return what a dump has to know about the databases that are migrated, and their migrations. It only reads."""
    import django
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    step("settings", django.setup)
    found: list[dict[str, Any]] = []
    known: list[tuple[str, str]] = []
    for alias in step("migrate", databases):
        connection = connections[alias]
        one = {"alias": alias, "vendor": connection.vendor, "size": 0, "tables": 0, "pending": 0, "owned": True}
        if not is_memory(connection):
            one.update(step("dump", look_at, connection))
        if one["tables"]:
            has = step("migrate", MigrationRecorder(connection).applied_migrations)
            known += sorted((in_database(alias, app), name) for app, name in has)
            one["pending"] = len(step("migrate", pending, alias))
        found.append(one)
    return {"databases": found, "applied": known}


def is_memory(connection: Any) -> bool:
    """Return whether it is SQLite without a file; also a file that does not exist, which must not be created here."""
    name = str(connection.settings_dict["NAME"])
    return connection.vendor == "sqlite" and not name.startswith("file:") and not os.path.exists(name)


def look_at(connection: Any) -> dict[str, Any]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(TABLES)
            size, tables = cursor.fetchone()
            cursor.execute(OWNED)
            return {"size": int(size), "tables": int(tables), "owned": bool(cursor.fetchone()[0])}
        tables = len(connection.introspection.table_names(cursor))
        size = 0
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            size = cursor.fetchone()[0]
    return {"size": size, "tables": tables}


def dump(options: Options) -> dict[str, Any]:
    """Write a dump of one database to the standard output, and report what was written.

    Options:
        alias: the database.
        clients: the directory of PostgreSQL's programs.
    """
    import django
    from django.db import connections

    step("settings", django.setup)
    written, digest = 0, hashlib.sha256()

    def write(data: bytes) -> None:
        nonlocal written
        digest.update(data)
        written += len(data)
        while data:
            data = data[os.write(STREAM[0], data) :]

    connection = connections[options["alias"]]
    make = {"sqlite": dump_sqlite, "postgresql": dump_postgresql}[connection.vendor]
    step("dump", make, connection, options["clients"], write)
    return {"size": written, "digest": digest.hexdigest()}


def restore(options: Options) -> dict[str, Any]:
    """Replace the content of one database by a dump. It is done as a whole, or not at all.

    Options:
        alias: the database.
        clients: the directory of PostgreSQL's programs.
        source: the descriptor of the dump.
        patience: the seconds to wait for a migrate of this database.
    """
    import django
    from django.db import connections

    step("settings", django.setup)
    connection = connections[options["alias"]]
    make = {"sqlite": restore_sqlite, "postgresql": restore_postgresql}[connection.vendor]
    with alone(options["alias"], options["patience"]):
        step("restore", make, connection, options["clients"], options["source"])
    return {}


@contextlib.contextmanager
def copy_of_sqlite() -> Iterator[str]:
    """Return the path of a file that does not exist, also if a killed run has left one, and remove it afterwards."""
    path = os.path.join(os.environ["BACKSTAGE_DATA"], COPY)

    def clear() -> None:
        for end in PARTS:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + end)

    clear()
    try:
        yield path
    finally:
        clear()


def opened(connection: Any) -> Any:
    """Return a connection of Python's own to the file of an SQLite database."""
    import sqlite3

    name = connection.get_connection_params()["database"]
    return contextlib.closing(sqlite3.connect(name, uri=True, timeout=OTHERS_SECONDS))


def copy_pages(source: Any, target: Any) -> None:
    """Copy an SQLite database with its backup API: complete, whoever writes to it meanwhile."""
    deadline = time.monotonic() + OTHERS_SECONDS

    def check(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(IN_USE.format(seconds=OTHERS_SECONDS))

    source.backup(target, pages=-1, progress=check)


def dump_sqlite(connection: Any, _clients: str, write: Write) -> None:
    import sqlite3

    with copy_of_sqlite() as path:
        with opened(connection) as source, contextlib.closing(sqlite3.connect(path)) as target:
            copy_pages(source, target)
            target.execute("PRAGMA journal_mode = DELETE")  # all of it is in one file then
        with open(path, "rb") as file:
            os.unlink(path)  # if this process is killed now, nothing is left
            for data in iter(lambda: file.read(CHUNK), b""):
                write(data)


def restore_sqlite(connection: Any, _clients: str, source: int) -> None:
    import sqlite3

    with copy_of_sqlite() as path:
        with open(path, "wb") as file, open(source, "rb", closefd=False) as given:
            shutil.copyfileobj(given, file, CHUNK)
        with contextlib.closing(sqlite3.connect(path)) as copy, opened(connection) as target:
            target.execute("SELECT 1")
            copy_pages(copy, target)


def libpq(connection: Any) -> dict[str, str]:
    """Return the variables that lead PostgreSQL's programs to a database. No password is in a command line."""
    given = connection.settings_dict
    named = {"PGDATABASE": "NAME", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGHOST": "HOST", "PGPORT": "PORT"}
    told = {variable: str(given.get(key) or "") for variable, key in named.items()}
    options = given.get("OPTIONS") or {}
    told.update({"PG" + name.upper(): str(options.get(name) or "") for name in LIBPQ})
    return {**os.environ, **{variable: value for variable, value in told.items() if value}}


def program(clients: str, name: str) -> str:
    path = os.path.join(clients, name)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is missing on this host: add postgresql-client to the Act's 'packages'")
    return path


@contextlib.contextmanager
def running(argv: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of PostgreSQL's programs, and raise its first error if it fails."""
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(argv, stderr=errors, **options) as child:
            yield child
        if child.returncode:
            errors.seek(0)
            raise RuntimeError(first_error(errors.read(10**5).decode(errors="replace"), argv[0], child.returncode))


def first_error(text: str, path: str, code: int) -> str:
    """Return the first error that one of PostgreSQL's programs printed, in one line."""
    if re.search("canceling statement due to (lock|statement) timeout", text):
        return IN_USE.format(seconds=OTHERS_SECONDS)
    sys.stderr.write(text)
    lines = text.strip().splitlines() or [f"{os.path.basename(path)} ended with status {code}"]
    found = next((line for line in lines if re.search(r"(ERROR|FATAL|error): ", line)), lines[0])
    return re.sub(r"\A\w+: (<stdin>:\d+: |error: )?", "", found)


def dump_postgresql(connection: Any, clients: str, write: Write) -> None:
    argv = [program(clients, "pg_dump"), "--format=custom", "--no-owner", "--no-privileges", "--no-password"]
    wait = [f"--lock-wait-timeout={OTHERS_SECONDS}s"]
    piped = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "env": libpq(connection)}
    child: Any
    with running([*argv, *wait], **piped) as child:
        for data in iter(lambda: child.stdout.read(CHUNK), b""):
            write(data)


def restore_postgresql(connection: Any, clients: str, source: int) -> None:
    """Drop everything that the role owns, and make the dump's content, in one transaction."""
    tool, env = program(clients, "pg_restore"), libpq(connection)
    psql = [program(clients, "psql"), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
    with tempfile.NamedTemporaryFile("w", dir=os.environ["BACKSTAGE_DATA"]) as chosen:
        chosen.writelines(contents(tool, source))
        chosen.flush()
        os.lseek(source, 0, os.SEEK_SET)
        argv = [tool, "--no-owner", "--no-privileges", "--file=-", f"--use-list={chosen.name}"]
        with running(psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=env) as client:
            feed(client, argv, source)


def contents(tool: str, source: int) -> list[str]:
    """Return the dump's table of contents, without comments of extensions, which only an extension's owner may set."""
    child: Any
    with running([tool, "--list"], stdin=source, stdout=subprocess.PIPE) as child:
        lines = child.stdout.read().decode().splitlines(keepends=True)
    return [line for line in lines if " COMMENT - EXTENSION " not in line]


def feed(client: subprocess.Popen[Any], argv: list[str], source: int) -> None:
    """Give psql the whole script. If its input ends without the last statement, it takes everything back."""
    script: Any = client.stdin
    with contextlib.suppress(BrokenPipeError):
        script.write(BEGIN.encode())
        script.flush()
        try:
            with running(argv, stdin=source, stdout=script):
                pass
        except RuntimeError:
            script.close()
            if client.wait() == 0:
                raise
            return  # psql ended first, and has the reason
        script.write(b"COMMIT;\n")
        script.close()
