# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs inside the Act's own Python: Django's steps, in one process a user.

The module feeds this file to the Act's interpreter on standard input; it imports nothing of
Backstage. The Act's own management program is run as it would be by hand, with Django's
ManagementUtility replaced, so that whatever it does before (paths, settings) is done here, too.

Arguments: the mode, its options as JSON (no secrets), the descriptor that takes the answer.
"""

from __future__ import annotations

import atexit
import compileall
import contextlib
import functools
import io
import json
import os
import re
import runpy
import shlex
import sys
import time
import traceback
import weakref
from collections.abc import Iterator
from typing import Any, Callable

# Nothing above may come from Django or the Act: this file is read before their paths are set.

Options = dict[str, Any]
# Whatever the Act's own code raises is its step's failure: the answer names it, and nothing goes on.
ANYTHING = (Exception, SystemExit)
# as PostgreSQL names an advisory lock: by a number, in each database
MIGRATE_LOCK = int.from_bytes(b"backstag", "big")


REPORT: list[int] = []
"""The descriptor that takes lines of JSON: the names of steps, and at last what was found."""


class Failed(Exception):
    """A step that went wrong; its cause is the exception it was raised from."""

    def __init__(self, step: str, error: Any) -> None:
        super().__init__(str(error))
        self.step = step
        self.error = error
        self.applied: list[str] = []


def step(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    report({"step": name})
    try:
        return function(*args, **kwargs)
    except ANYTHING as error:
        raise Failed(name, error) from error


def report(line: dict[str, Any]) -> None:
    for descriptor in REPORT:
        data = json.dumps(line).encode() + b"\n"
        while data:
            data = data[os.write(descriptor, data) :]


def call(*words: str, **options: Any) -> str:
    from django.core.management import call_command

    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def set_prefix(prefix: str) -> None:
    """Set the script prefix first of all: Django keeps STATIC_URL with the prefix of its first reader."""
    if not prefix:
        return
    import django
    from django.urls import set_script_prefix

    django.setup = functools.partial(django.setup, set_prefix=False)  # it would set the root's again
    set_script_prefix(prefix + "/")


def build(options: Options) -> dict[str, Any]:
    import django
    from django.apps import apps
    from django.conf import settings

    step("settings", django.setup)
    need_database(options["database"])
    step("check", call, "check")
    copied = None
    if said(settings, "MEDIA_URL") not in ("", "/") and settings.MEDIA_ROOT:
        need_inside("MEDIA_ROOT", settings.MEDIA_ROOT, options)
    if options["static"] == "auto" and apps.is_installed("django.contrib.staticfiles"):
        if not settings.STATIC_ROOT:
            raise Failed("collectstatic", "STATIC_ROOT is not set")
        need_inside("STATIC_ROOT", settings.STATIC_ROOT, options)
        copied = step("collectstatic", call, "collectstatic", interactive=False, verbosity=1).strip()[-10_000:]
    for line in options["after_static"]:
        step(line, call, *shlex.split(line))
    compileall.compile_dir(options["code"], quiet=2, workers=1)
    return {**facts(settings), "collected": copied}


def need_inside(name: str, path: Any, options: Options) -> None:
    """Nginx serves from the place that Backstage made, or from one inside the code."""
    path = absolute(path)
    if path != options["own"][name] and not path.startswith(options["code"] + "/"):
        raise Failed("settings", f"{name} is outside: {path}")


def need_database(wanted: Any) -> None:
    """The database that the manifest gives is the one that the settings use."""
    from django.db import DEFAULT_DB_ALIAS, connections

    if not wanted:
        return
    used = step("settings", connections.__getitem__, DEFAULT_DB_ALIAS)
    name = str(used.settings_dict["NAME"])
    if (used.vendor, name) != (wanted["vendor"], wanted["name"]):
        found = "no database" if used.vendor == "unknown" else f"{used.vendor} '{name}'"
        raise Failed("check", f"DATABASES has {found} as its default, and not {wanted['vendor']} '{wanted['name']}'")


def facts(settings: Any) -> dict[str, Any]:
    return {
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "wsgi_application": settings.WSGI_APPLICATION,
        "static_url": said(settings, "STATIC_URL"),
        "static_root": absolute(settings.STATIC_ROOT),
        "media_url": said(settings, "MEDIA_URL"),
        "media_root": absolute(settings.MEDIA_ROOT),
        "debug": bool(settings.DEBUG),
        "migrations": migrations(),
        "databases": {
            alias: {"engine": str(database.get("ENGINE") or ""), "name": str(database.get("NAME", ""))}
            for alias, database in settings.DATABASES.items()
        },
    }


def said(settings: Any, name: str) -> str:
    """A URL as the settings have it: Django puts the script prefix before a relative one that it is asked for."""
    return str(getattr(getattr(settings, "_wrapped", settings), name) or "")


def migrations() -> str:
    """A digest of all migrations and of what follows every `migrate`; empty where no digest can tell.

    Django makes permissions and content types of the models then, and calls whoever asked to be called.
    """
    import hashlib

    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader
    from django.db.models.signals import post_migrate, pre_migrate

    for signal in (pre_migrate, post_migrate):
        for _key, receiver, *_rest in signal.receivers:
            function = receiver() if isinstance(receiver, weakref.ReferenceType) else receiver
            if not getattr(function, "__module__", "").startswith("django."):
                return ""
    loader = MigrationLoader(None, load=False)
    step("migrate", loader.load_disk)
    names = sorted(loader.disk_migrations)
    models = [
        (
            model._meta.label,
            *model._meta.default_permissions,
            *((code, str(name)) for code, name in model._meta.permissions),
        )
        for model in apps.get_models(include_auto_created=True)
    ]
    return hashlib.sha256(repr((names, sorted(models, key=str))).encode()).hexdigest()


def absolute(path: Any) -> str:
    return os.path.abspath(str(path)) if path else ""


def migrate(options: Options) -> dict[str, Any]:
    """The default database only, as the command does by hand: others may be replicas, or somebody else's."""
    import django
    from django.db import DEFAULT_DB_ALIAS, connections

    step("settings", django.setup)
    need_database(options["database"])
    if connections[DEFAULT_DB_ALIAS].vendor == "unknown":
        return {"applied": []}  # Django's dummy backend: the Act has no database
    with alone(DEFAULT_DB_ALIAS, options["patience"]):
        before = step("migrate", pending, DEFAULT_DB_ALIAS)
        try:
            step("migrate", call, "migrate", interactive=False, verbosity=1)
        except Failed as failure:
            left = step("migrate", pending, DEFAULT_DB_ALIAS)
            failure.applied = [name for name in before if name not in left]
            raise
    return {"applied": before}


@contextlib.contextmanager
def alone(alias: str, patience: float) -> Iterator[None]:
    """One migrate of a PostgreSQL database at a time, whoever starts it: an advisory lock, held to the end.

    On a connection of its own, for migrate closes Django's; and in a transaction, which a pooler leaves on one
    connection, too. It reads nothing, so no index that is made concurrently waits for it.
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
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    connections[alias].close()
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def applied(options: Options) -> dict[str, Any]:
    """The migrations that the default database has; reads, and nothing else."""
    import django
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.recorder import MigrationRecorder

    step("settings", django.setup)
    connection = connections[DEFAULT_DB_ALIAS]
    known = {} if connection.vendor == "unknown" else step("migrate", MigrationRecorder(connection).applied_migrations)
    return {"applied": sorted(known)}


def look(options: Options) -> dict[str, Any]:
    """What people should know of an Act that can play: nothing of it is changed.

    Options:
        applied: migrations that another database has, for those that are pending there; null for the Act's own.
    """
    import django
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.recorder import MigrationRecorder

    step("settings", django.setup)
    if options["applied"] is not None:
        known = dict.fromkeys(map(tuple, options["applied"]))
        MigrationRecorder.applied_migrations = lambda _recorder: known
    has_database = connections[DEFAULT_DB_ALIAS].vendor != "unknown"
    return {
        "pages": step("urls", pages),
        "warnings": step("check", deployment_warnings),
        "unwritten": step("makemigrations", unwritten) if has_database else [],
        "pending": step("migrate", pending, DEFAULT_DB_ALIAS) if has_database else [],
    }


def deployment_warnings() -> list[str]:
    from django.core import checks

    found = checks.run_checks(include_deployment_checks=True)
    told = [message for message in found if message.level >= checks.WARNING and not message.is_silenced()]
    return sorted({f"{message.id}: {first_sentence(str(message.msg))}" for message in told})


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()))[0]


def unwritten() -> list[str]:
    """The apps whose models have changes that no migration has."""
    from django.apps import apps
    from django.core.management import call_command

    out = io.StringIO()
    with contextlib.suppress(SystemExit):  # so it tells that there are some
        call_command("makemigrations", check_changes=True, dry_run=True, interactive=False, stdout=out)
    labels = re.findall(r"Migrations for '(\w+)'", out.getvalue())
    # those of packages are their authors' business
    return [label for label in labels if "/site-packages/" not in apps.get_app_config(label).path]


def pages() -> list[str]:
    """Paths of the Act that need no argument, in the order of its URLs; the admin's come last."""
    from django.urls import get_resolver

    found = list(dict.fromkeys(walk(get_resolver().url_patterns, "/")))
    return sorted(found, key=lambda path: path.startswith("/admin/"))[:100]


def walk(patterns: Any, prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = re.sub(r"\A\^|\$\Z|\\Z\Z", "", str(pattern.pattern))
        if re.search(r"[<>()\[\]{}*+?|\\^$]", route) or re.search(r"log_?out|delete|remove|jsi18n", route):
            continue
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns, prefix + route)
        else:
            yield prefix + route


def take_over(work: Callable[[], Any]) -> list[Any]:
    """Have the Act's management program call our work instead of a command; return its result."""
    from django.core.management import ManagementUtility

    results: list[Any] = []

    def execute(_utility: Any) -> None:
        results.append(work())

    ManagementUtility.execute = execute
    return results


def run_manage(manage: str, words: list[str]) -> None:
    """Run the management program as if by hand."""
    if manage.startswith("-m "):
        sys.argv = [manage[3:], *words]
        sys.path[0] = os.getcwd()
        runpy.run_module(manage[3:], run_name="__main__", alter_sys=True)
        return
    if not manage.endswith(".py"):
        manage = os.path.join(os.path.dirname(sys.executable), manage)
    if not os.path.exists(manage):
        raise Failed("settings", f"there is no {manage}")
    sys.argv = [manage, *words]
    sys.path[0] = os.path.dirname(os.path.abspath(manage))
    runpy.run_path(manage, run_name="__main__")


def by_hand(manage: str, words: list[str]) -> None:
    """Run the management program; a console script ends in sys.exit(), whatever its command returned."""
    try:
        run_manage(manage, words)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


MODES = {"build": build, "migrate": migrate, "applied": applied, "look": look}


def answer(mode: str, options: Options) -> Any:
    try:
        set_prefix(os.environ.get("BACKSTAGE_PREFIX", ""))
        results = [] if mode == "run" else take_over(lambda: MODES[mode](options))
    except ImportError as error:
        raise Failed("settings", "Django is not installed in the Act's environment") from error
    if mode == "run":
        step(options["words"][0], by_hand, options["manage"], options["words"])
        return {}
    by_hand(options["manage"], ["migrate" if mode == "migrate" else "check"])
    try:
        return results.pop()
    except IndexError:
        raise Failed("settings", f"{options['manage']} never called Django's management commands") from None


def told(error: Any) -> str:
    """The words of an error; of a file that it can't open SQLite does not say that its directory is missing."""
    text = str(error)
    if "unable to open database file" not in text:
        return text
    from django.conf import settings

    path = absolute(settings.DATABASES["default"].get("NAME"))
    return text if os.path.isdir(os.path.dirname(path)) else f"{text}: {path}"


def main(mode: str, options: str, descriptor: str) -> int:
    REPORT.append(int(descriptor))
    os.set_inheritable(REPORT[0], False)
    try:
        found = answer(mode, json.loads(options))
    except Failed as failure:
        found = {
            "failed": failure.step,
            "error": type(failure.error).__name__ if isinstance(failure.error, BaseException) else "",
            "message": told(failure.error)[:10_000],
            "applied": failure.applied,
        }
        traceback.print_exception(failure.__cause__ or failure)
    except ANYTHING as error:
        found = {"failed": "settings", "error": type(error).__name__, "message": str(error)[:10_000]}
        traceback.print_exc()
    report(found)
    os.close(REPORT.pop())
    return 1 if "failed" in found else 0


def end(code: int) -> None:
    """End this process, whatever threads the Act has started: one that never ends would keep it for ever.

    What was registered with atexit is called before, as in every program that ends; the module allows seconds for it.
    """
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)


def command(options: str) -> int:
    """Run a management command as a shell would: what it raises is printed, and its exit code is ours."""
    given = json.loads(options)
    try:
        run_manage(given["manage"], given["words"])
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        sys.stderr.write(f"{error.code}\n")
        return 1
    except ANYTHING as error:
        ours = ("<stdin>", "<frozen runpy>")
        place = error.__traceback__
        while place and place.tb_frame.f_code.co_filename in ours:
            place = place.tb_next
        traceback.print_exception(error.with_traceback(place))
        return 1
    return 0


if __name__ == "__main__":
    first, *others = sys.argv[1:]
    end(command(*others) if first == "command" else main(first, *others))
