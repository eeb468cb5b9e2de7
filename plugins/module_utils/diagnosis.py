# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes and cures: from what a failing Act printed or answered to the one line that was missing."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINES = 25


@dataclass(frozen=True)
class Row:
    """One known cause.

    Args:
        name: what tests and docs call it.
        pattern: found in the error or in the end of the log; its groups fill the sentence.
        sentence: the cause and its cure.
    """

    name: str
    pattern: str
    sentence: str


ROWS: list[Row] = [
    Row(
        "host not allowed",
        r"Invalid HTTP_HOST header: '([^']+)'",
        "the Act does not accept the host {0}: add it to ALLOWED_HOSTS (it is in BACKSTAGE_HOSTS)",
    ),
    Row(
        "settings module not found",
        r"(?:No module named|ModuleNotFoundError: No module named) '([\w.]*settings[\w.]*)'",
        "there is no settings module '{0}': set 'settings', 'chdir' or the source's 'subdir'",
    ),
    Row(
        "PostgreSQL client missing",
        r"Error loading psycopg2(?: or psycopg)? module",
        "the Python client of PostgreSQL is missing: add psycopg[binary] to the requirements (before Django 4.2"
        " psycopg2-binary)",
    ),
    Row(
        "missing module",
        r"No module named '([\w.]+)'",
        "the module '{0}' is missing: add its package to the requirements",
    ),
    Row(
        "DATABASE_URL missing",
        r"KeyError: 'DATABASE_URL'|Set the DATABASE_URL environment variable|DATABASES is improperly configured",
        "the settings have no database: write 'database' in the manifest, which exports DATABASE_URL, or give"
        " DATABASE_URL in 'secrets'",
    ),
    Row(
        "missing environment variable",
        r"KeyError: '([A-Z][A-Z0-9_]*)'",
        "the environment variable {0} is missing: add it to 'env' or 'secrets'",
    ),
    Row(
        "SECRET_KEY empty",
        r"The SECRET_KEY setting must not be empty",
        "SECRET_KEY is empty: add it to 'secrets' and have the settings read it",
    ),
    Row(
        "STATIC_ROOT unset",
        r"STATIC_ROOT is not set|without having set the STATIC_ROOT setting",
        "STATIC_ROOT is not set: set it to os.environ['BACKSTAGE_STATIC_ROOT'], or say 'static: none'",
    ),
    Row(
        "root outside",
        r"(STATIC_ROOT|MEDIA_ROOT) is outside: (\S+)",
        "{0} is {1}, where nginx can't serve it: set it to os.environ['BACKSTAGE_{0}'], or to a directory of the code",
    ),
    Row(
        "read-only database",
        r"attempt to write a readonly database|unable to open database file",
        "the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    Row(
        "read-only file",
        r"(?:PermissionError: \[Errno 13\] Permission denied|OSError: \[Errno 30\] Read-only file system): '([^']+)'",
        "the Act may not write '{0}': name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    Row(
        "wrong callable",
        r"WrapperError: ([^\n]+)",
        "{0}",
    ),
    Row(
        "unknown option",
        r"unrecognized option '([^']+)'|\[strict-mode\] unknown config directive: (\S+)",
        "uWSGI refuses the option {0}",
    ),
    Row(
        "static files unbuilt",
        r"Missing staticfiles manifest entry for '([^']+)'",
        "the static file '{0}' is not in the manifest of the static files: is it in STATICFILES_DIRS or an app?",
    ),
    Row(
        "requirement unknown",
        r"Because ([\w.-]+) was not found in the package registry",
        "the package '{0}' is not in the index: correct the requirements",
    ),
    Row(
        "requirement unresolvable",
        r"No solution found when resolving dependencies",
        "the requirements contradict each other or name a version that is not in the index",
    ),
    Row(
        "build from source failed",
        r"Failed to build `([^`]+)`",
        "the package '{0}' has no wheel for this Python, and building it failed: does it need something in 'packages'?",
    ),
    Row(
        "disk full",
        r"No space left on device",
        "the disk is full: make room and run again",
    ),
    Row(
        "table missing",
        r"OperationalError: no such table: (\S+)|relation \"([^\"]+)\" does not exist",
        "the database has no table '{0}': has 'migrate' run on the database that the Act uses?",
    ),
    Row(
        "another database",
        r"DATABASES has (.+) as its default, and not (\w+) '[^']*'",
        "the settings' default database is {0}, not the manifest's {1}: have DATABASES read DATABASE_URL, or leave"
        " 'database' out",
    ),
    Row(
        "wrong password",
        r"password authentication failed for user \"([^\"]+)\"|Access denied for user '([^']+)'",
        "the database refuses the password of '{0}': correct it in 'secrets'",
    ),
    Row(
        "password missing",
        r"no password supplied",
        "the database asks for a password: give DATABASE_URL with one in 'secrets', or leave host and user out, to"
        " come by the socket",
    ),
    Row(
        "another user of the database",
        r"Peer authentication failed for user \"([^\"]+)\"",
        "the Act is not the user '{0}' for the database: leave the user out, or give a host and a password",
    ),
    Row(
        "database unknown",
        r"FATAL: +(?:role|database) \"([^\"]+)\" does not exist",
        "PostgreSQL has no role or database '{0}': correct DATABASE_URL or DATABASES, and ask no database while a"
        " release is built",
    ),
    Row(
        "database of others",
        r"permission denied for database \"([^\"]+)\"",
        "the Act may not connect to the database '{0}': its own is in DATABASE_URL",
    ),
    Row(
        "unreachable database",
        r"connection to server .{0,200} failed: (?!FATAL|fe_sendauth)"
        r"|the database system is (?:starting up|shutting down)|server closed the connection"
        r"|terminating connection due to|could not translate host name|failed to resolve host"
        r"|Can't connect to (?:local )?(?:MySQL )?server",
        "the database does not answer: start it, or correct where DATABASE_URL or DATABASES says it is",
    ),
    Row(
        "another migrate",
        r"another migrate of this database has not ended within (\d+) s",
        "another migrate of this database has not ended within {0} s: wait for it, or end it (pg_stat_activity names"
        " it), and run again",
    ),
]


def find(text: str) -> str:
    """The sentence of the first known cause in a text; empty where none is."""
    unwrapped = re.sub(r"\s*\n\s*", " ", text)  # uv breaks its lines in the middle of a sentence
    for row in ROWS:
        match = re.search(row.pattern, text) or re.search(row.pattern, unwrapped)
        if match:
            return row.sentence.format(*(group for group in match.groups() if group))
    return ""


def explain(step: str, error: str, log: str) -> str:
    """One sentence for a failed step: the known cause, else the error itself."""
    return find(error) or find(log) or f"{step} failed: {error.splitlines()[0] if error else 'no message'}"


def answer(status: int, path: str, host: str, log: str) -> str:
    """One sentence for an answer that the gate does not accept."""
    known = find(log)
    if status == 400:
        return f"the Act answers 400 to the host '{host}': add the name to ALLOWED_HOSTS (it is in BACKSTAGE_HOSTS)"
    if status == 404:
        return f"nothing at {path} (404): set health.path to a page that the Act has"
    return f"{path} answers {status}" + (f": {known}" if known else "")


def tail(text: str, lines: int = LINES) -> str:
    """The last lines of a log."""
    return "\n".join(text.strip().splitlines()[-lines:])
