# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrate inside the Act's own Python: which databases, one after the other, and which migrations they have.

The module feeds this file to the interpreter before act_steps. It imports nothing of Backstage.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

# pylint: disable=used-before-assignment # the interpreter gets all four files as one program
if TYPE_CHECKING:  # all of it is one program
    from .act_findings import unmigrated
    from .act_program import Failed, Options, call, need_database, step

# PostgreSQL identifies an advisory lock by a number, separately in each database
LOCK_SECONDS = 5
"""A migration waits so long for a lock; whoever reads the table after it waits as long."""
MIGRATE_LOCK = int.from_bytes(b"backstag", "big")


def databases() -> list[str]:
    """Return the databases to migrate: Django's default, and each to which its routers write and migrate models.

    A replica is never written to. A database that no router names may belong to somebody else.
    """
    from django.apps import apps
    from django.conf import settings
    from django.db import DEFAULT_DB_ALIAS, connections, router

    found = [DEFAULT_DB_ALIAS]
    for alias, given in settings.DATABASES.items():
        if alias == DEFAULT_DB_ALIAS or given.get("TEST", {}).get("MIRROR"):
            continue
        # asked first, because the back end of a database without writes need not even be installed
        written = (m for m in apps.get_models(include_auto_created=True) if router.db_for_write(m) == alias)
        if any(m._meta.can_migrate(alias) and router.allow_migrate_model(alias, m) for m in written):
            found.append(alias)
    return [alias for alias in found if connections[alias].vendor != "unknown"]


def migrate(options: Options) -> dict[str, Any]:
    """Migrate one database after the other. What was applied is reported even after a failure.

    Options:
        within: a directory. Besides the default database, only databases in files below it are migrated. Empty for all.
    """
    import django

    step("settings", django.setup)
    need_database(options["database"])
    applied: list[str] = []
    for alias in step("migrate", databases):
        if not is_within(alias, options["within"]):
            continue
        try:
            applied += migrate_one(alias, options)
        except Failed as failure:
            failure.applied = applied + failure.applied
            raise
    return {"applied": applied}


def is_within(alias: str, root: str) -> bool:
    from django.db import DEFAULT_DB_ALIAS, connections

    if not root or alias == DEFAULT_DB_ALIAS:
        return True
    name = str(connections[alias].settings_dict["NAME"])
    return connections[alias].vendor == "sqlite" and (
        name == ":memory:" or os.path.abspath(name).startswith(root + "/")
    )


def migrate_one(alias: str, options: Options) -> list[str]:
    with alone(alias, options["patience"]):
        before = step("migrate", pending, alias)
        try:
            with impatient(alias):
                step("migrate", call, "migrate", database=alias, interactive=False, verbosity=1)
        except Failed as failure:
            left = step("migrate", pending, alias)
            failure.applied = [name for name in before if name not in left]
            failure.half = step("migrate", half_applied, alias)
            tableless = unmigrated(options["code"])
            if tableless and re.search(r"no such table|does not exist", str(failure.error)):
                said = f"the app '{tableless[0]}' has models and no migrations: {failure.error}"
                raise Failed("migrate", said) from failure
            raise
    return before


@contextlib.contextmanager
def impatient(alias: str) -> Iterator[None]:
    """Let no migration wait long for a lock in PostgreSQL: whoever comes after it waits behind it.

    It is set in each transaction, because a pooler hands connections on with what is set for longer. A migration that
    is not atomic has none, and is meant to wait. What the project sets itself stays.
    """
    from django.db import connections

    def execute(run: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        connection = context["connection"]
        if connection.in_atomic_block and int(connection.connection.info.transaction_status) == 0:
            context["cursor"].cursor.execute(
                f"SELECT set_config('lock_timeout', '{LOCK_SECONDS}s', true)"
                " WHERE current_setting('lock_timeout') = '0'"
            )
        return run(sql, params, many, context)

    if connections[alias].vendor != "postgresql":
        yield
        return
    with connections[alias].execute_wrapper(execute):
        yield


@contextlib.contextmanager
def alone(alias: str, patience: float) -> Iterator[None]:
    """Hold an advisory lock, so that only one migrate of a PostgreSQL database runs at a time, whoever starts it.

    It uses its own connection, because migrate closes Django's, and a transaction, which a pooler keeps on one
    connection. It reads nothing, so concurrent index builds do not wait for it.
    """
    from django.db import connections

    if connections[alias].vendor != "postgresql":
        yield
        return
    own = connections[alias].copy()
    try:
        step("migrate", take_turn, own, patience)
        yield
    finally:
        own.close()


def take_turn(connection: Any, patience: float) -> None:
    deadline = time.monotonic() + patience
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        while True:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [MIGRATE_LOCK])
            if cursor.fetchone()[0]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"another migrate of this database has not ended within {patience:.0f} s")
            time.sleep(0.2)


def pending(alias: str) -> list[str]:
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.executor import MigrationExecutor

    connections[alias].close()
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    where = "" if alias == DEFAULT_DB_ALIAS else f" ({alias})"
    return [f"{migration.app_label}.{migration.name}{where}" for migration, _backwards in plan]


def half_applied(alias: str) -> str:
    """Return the migration that comes next, if nothing undoes what it did before it failed; else nothing."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections[alias])
    for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())[:1]:
        if not (migration.atomic and connections[alias].features.can_rollback_ddl):
            return f"{migration.app_label}.{migration.name}"
    return ""


def applied(options: Options) -> dict[str, Any]:
    """Return the migrations that the databases have. It only reads."""
    import django
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    step("settings", django.setup)
    known: list[tuple[str, str]] = []
    for alias in step("migrate", databases):
        has = step("migrate", MigrationRecorder(connections[alias]).applied_migrations)
        known += sorted((in_database(alias, app), name) for app, name in has)
    return {"applied": known}


def in_database(alias: str, app: str) -> str:
    from django.db import DEFAULT_DB_ALIAS

    return app if alias == DEFAULT_DB_ALIAS else f"{alias}/{app}"


def of_database(alias: str, known: list[tuple[str, str]]) -> dict[tuple[str, str], None]:
    """Return the migrations of one database, from those of all databases."""
    mark = in_database(alias, "")
    own = [(app[len(mark) :], name) for app, name in known if app.startswith(mark)]
    return dict.fromkeys(pair for pair in own if "/" not in pair[0])


def migrations() -> str:
    """Return a digest of all migrations and of what follows every `migrate`; empty if no digest can cover it.

    After it, Django creates permissions and content types of the models, and calls the receivers of post_migrate.
    """
    import hashlib

    from django.apps import apps
    from django.db import DEFAULT_DB_ALIAS
    from django.db.models.signals import post_migrate, pre_migrate

    for signal in (pre_migrate, post_migrate):
        for _key, receiver, *_rest in signal.receivers:
            function = receiver() if isinstance(receiver, weakref.ReferenceType) else receiver
            if not getattr(function, "__module__", "").startswith("django."):
                return ""
    found = on_disk()
    if found is None:
        return ""
    names = sorted(found)
    models = [
        (
            model._meta.label,
            *model._meta.default_permissions,
            *((code, str(name)) for code, name in model._meta.permissions),
        )
        for model in apps.get_models(include_auto_created=True)
    ]
    others = [alias for alias in databases() if alias != DEFAULT_DB_ALIAS]
    return hashlib.sha256(repr((names, sorted(models, key=str), *others)).encode()).hexdigest()


def graph() -> dict[str, list[str]] | None:
    """Return the migrations of the code, with those that each replaces; None if only a database tells."""
    found = on_disk()
    if found is None:
        return None
    return {
        f"{app}.{name}": [f"{one}.{replaced}" for one, replaced in migration.replaces]
        for (app, name), migration in sorted(found.items())
    }


def on_disk() -> dict[tuple[str, str], Any] | None:
    from django.db import Error
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, load=False)
    try:
        step("migrate", loader.load_disk)
    except Failed as failure:
        if isinstance(failure.error, Error):
            return None  # one of them queries the database when it is loaded, and a build has none
        raise
    return dict(loader.disk_migrations)
