# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cures for databases: `database`, and the variables that give the settings its connection."""

from __future__ import annotations

import re

from ..host import names
from ..manifest.database import POSTGRESQL, SQLITE
from .case import Case

_FAMILY = r"(?P<own>(?:[A-Z][A-Z0-9]*_)*?)(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|SQL|RDS)"
_ROLES = {
    "ENGINE": r"ENGINE|BACKEND",
    "NAME": r"NAME|DB|DATABASE|DB_NAME",
    "USER": r"USER|USERNAME",
    "PASSWORD": r"PASSWORD|PASS|PASSWD|PWD",
    "HOST": r"HOST|HOSTNAME|SERVER",
    "PORT": r"PORT",
}
_VARIABLE = re.compile(rf"{_FAMILY}_?(?:" + "|".join(f"(?P<{role}>{words})" for role, words in _ROLES.items()) + r")\Z")
_NAMED = _FAMILY.replace("?P<own>", "?:")
_VALUES = {
    "NAME": "{database}",
    "USER": "{database_user}",
    "PASSWORD": "",
    "HOST": "{database_host}",
    "PORT": "{database_port}",
}
_BACKENDS = {POSTGRESQL: "django.db.backends.postgresql", SQLITE: "django.db.backends.sqlite3"}
_NAMES = {
    POSTGRESQL: 'os.environ["DATABASE_URL"].rpartition("/")[2]',
    SQLITE: 'os.path.join(os.environ["BACKSTAGE_DATA"], "db.sqlite3")',
}
NO_POSTGRESQL = (
    "it has the client of PostgreSQL, and this host has no PostgreSQL, so SQLite was used: add the host to"
    " the inventory group backstage_database, and rehearse again"
)

NOT_ITS_OWN = "the settings name no database that is the Act's own"


def _why(case: Case) -> str:
    """Return the reason. It omits the rehearsal's system user, which is meaningless later."""
    is_ours = case.word.startswith((f"{names.REHEARSAL}-", f"{names.REHEARSAL}_"))
    return NOT_ITS_OWN if is_ours else case.because


def give_database(case: Case) -> None:
    draft, engine = case.draft, _engine(case)
    _set(case, engine, _why(case))
    if engine == POSTGRESQL and draft.survey.reads_old_scheme():
        draft.give("DATABASE_URL", "postgres://:{database_port}/{database}", "the settings look for 'postgres://'")


def give_by_variables(case: Case) -> None:
    """Give the Act a database if the settings read its name, user and so on from one variable each."""
    draft = case.draft
    found = _roles(draft.survey.variables(_NAMED))
    if case.word.isupper() and case.word not in found:
        return  # the missing variable is not one of a database
    found = {name: role for name, role in found.items() if name not in draft.item.get("env", {})}
    engine = _engine(case)
    if "NAME" not in found.values() or (engine == SQLITE and "ENGINE" not in found.values()):
        return
    if not draft.item.get("database"):
        _set(case, engine, f"{_why(case)}; the settings read {', '.join(found)}")
    for name, role in found.items():
        value = _BACKENDS[engine] if role == "ENGINE" else _VALUES[role]
        draft.give(name, value, "where the database is: the placeholders stand for the Act's own")


def give_another_engine(case: Case) -> None:
    """Give the Act a database in place of MySQL, if the settings read the engine."""
    if "ENGINE" in _roles(case.draft.survey.variables(_NAMED)).values():
        give_by_variables(case)


def _roles(names: list[str]) -> dict[str, str]:
    """Return what each variable means for a database. Of several databases, the first one counts."""
    found = [match for match in map(_VARIABLE.match, names) if match]
    first = next((match["own"] for match in found if match.lastgroup == "NAME"), "")
    return {match.string: str(match.lastgroup) for match in found if match["own"] == first}


def own_database(case: Case) -> None:
    """Give the Act a database in place of a remote one, and make the settings use it if they do not read it."""
    draft = case.draft
    if not draft.item.get("database"):
        give_database(case)
        if draft.survey.mentions(r"DATABASE_URL|dj_database_url|environ\b.*\bEnv\b|env\.db"):
            return  # that may be enough
    engine = draft.item["database"]["engine"]
    default = case.record.get("databases", {}).get("default", {})
    if default.get("vendor") == engine or case.word.startswith(f"{engine} '"):
        base = draft.configuration(draft.theirs())
        known = f"{base}.DATABASES" if base else "DATABASES"
        nowhere = ", ".join(f'"{key}": ""' for key in ("USER", "PASSWORD", "HOST", "PORT"))
        settings = f'**{known}["default"], "NAME": {_NAMES[engine]}, {nowhere}'
        line = f'DATABASES = {{**{known}, "default": {{{settings}}}}}'
    else:
        line = f'DATABASES = {{"default": {{"ENGINE": "{_BACKENDS[engine]}", "NAME": {_NAMES[engine]}}}}}'
    draft.override("DATABASES", line, _why(case))


def _engine(case: Case) -> str:
    """Return PostgreSQL for a project with its driver on a host that has it; otherwise SQLite."""
    return POSTGRESQL if _needs_postgresql(case) and case.host.has_database else SQLITE


def _needs_postgresql(case: Case) -> bool:
    return case.draft.survey.needs("psycopg2?")


def _set(case: Case, engine: str, because: str) -> None:
    case.draft.set("database", {"engine": engine}, because)
    if engine == SQLITE and _needs_postgresql(case):
        case.draft.wish(NO_POSTGRESQL)
