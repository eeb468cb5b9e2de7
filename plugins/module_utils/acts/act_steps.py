# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that run inside the Act's own Python: Django's steps, in one process for each user.

The module feeds this file to the Act's interpreter on standard input. It imports nothing of
Backstage. The Act's own management program runs as if started by hand, but with Django's
ManagementUtility replaced, so that everything it does before (paths, settings) happens here, too.

Arguments: the mode, its options as JSON (no secrets), the descriptor for the answer.

The answer of each mode:


=========  ================================================================================================
build      ``apps``, ``settings``, ``wsgi_application``, ``asgi_application``, ``static_url``, ``static_root``,
           ``media_url``, ``media_root``, ``debug``, ``migrations``, ``graph``, ``databases``, ``collected``;
           ``migrated``, the aliases of the databases that are migrated; ``rotating``, paths in the code that logging
           rotates; ``told``, sentences for people
migrate    ``applied``: names, with the alias if it is not the default database
applied    ``applied``: pairs of app and name; the app is ``alias/app`` for another database
survey     ``databases``: ``alias``, ``vendor``, ``size``, ``tables``, ``pending``, ``owned``; ``applied``, as above
dump       ``size``, ``digest``, of what was written to the standard output
restore    nothing
look       ``pages``, ``warnings``, ``unwritten``, ``pending``; ``told``, as above
a failure  ``failed``, ``error``, ``message``, ``applied``, ``half``; ``at``, file and line in the project's own code
=========  ================================================================================================
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
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

# pylint: disable=used-before-assignment # the interpreter gets all five files as one program
if TYPE_CHECKING:  # they are fed to the interpreter before this one
    from .act_dumps import claim_output, dump, restore, survey
    from .act_findings import (
        in_full,
        overridden,
        own_place,
        pointers,
        rotating,
        secret_key,
        unfetched,
        unmigrated,
        untranslated,
        without_migrations,
    )
    from .act_migrations import applied, databases, graph, migrate, migrations, of_database, pending
    from .act_program import ANYTHING, REPORT, Failed, Options, call, need_database, report, step

# Nothing above may import Django or the Act, because this file is read before their paths are set.


def set_prefix(prefix: str) -> None:
    """Set the script prefix first, because Django computes STATIC_URL with the prefix at its first use."""
    if not prefix:
        return
    import django
    from django.urls import set_script_prefix

    django.setup = functools.partial(django.setup, set_prefix=False)  # it would reset the prefix to the root
    set_script_prefix(prefix + "/")


def build(options: Options) -> dict[str, Any]:
    import django
    from django.apps import apps
    from django.conf import settings
    from django.db import DEFAULT_DB_ALIAS

    step("settings", django.setup)
    need_database(options["database"])
    try:
        step("check", call, "check")
    except Failed as failure:
        if vendor(DEFAULT_DB_ALIAS) == "unknown":  # the check depends on the database
            raise Failed("check", f"the settings name no database: {failure}") from failure
        raise
    found = {"told": told_of_settings(options), "rotating": rotating(options["code"])}
    copied = None
    if said(settings, "MEDIA_URL") not in ("", "/") and settings.MEDIA_ROOT:
        root = absolute(settings.MEDIA_ROOT)
        # the builder's own directory for uploads is in its temporary home, too
        if root != options["own"]["MEDIA_ROOT"] and root.startswith(os.environ["BACKSTAGE_DATA"] + "/"):
            found["told"].append(PRIVATE)
        else:
            need_inside("MEDIA_ROOT", root, options)
    if options["static"] != "none" and apps.is_installed("django.contrib.staticfiles"):
        if not settings.STATIC_ROOT:
            raise Failed("collectstatic", "STATIC_ROOT is not set")
        need_inside("STATIC_ROOT", settings.STATIC_ROOT, options)
        copied = step("collectstatic", call, "collectstatic", interactive=False, verbosity=1).strip()[-10_000:]
    for line in options["after_static"]:
        step(line, call, *shlex.split(line))
    compileall.compile_dir(options["code"], quiet=2, workers=1)
    found["told"] += pointers(options["code"]) + untranslated(options["code"])
    found["told"] += [without_migrations(label) for label in unmigrated(options["code"])]
    found["apps"] = [config.name for config in apps.get_app_configs()]
    return {**facts(settings), **found, "collected": copied, "migrated": step("migrate", databases)}


PRIVATE = (
    "MEDIA_ROOT lies in BACKSTAGE_DATA, where nginx serves nothing: the project answers at MEDIA_URL itself, or sets"
    " MEDIA_ROOT to os.environ['BACKSTAGE_MEDIA_ROOT']"
)


def told_of_settings(options: Options) -> list[str]:
    """Return sentences for people about the loaded settings."""
    from django.conf import settings

    code = options["code"]
    return overridden(code, options["given"]) + secret_key(code, str(settings.SECRET_KEY))


def need_inside(name: str, path: Any, options: Options) -> None:
    """Check that nginx can serve the directory: the one that Backstage made, or one inside the code."""
    path = absolute(path)
    if path != options["own"][name] and not path.startswith(options["code"] + "/"):
        raise Failed("settings", f"{name} is outside: {path}")


def facts(settings: Any) -> dict[str, Any]:
    return {
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "wsgi_application": settings.WSGI_APPLICATION,
        "asgi_application": asgi_application(settings),
        "static_url": said(settings, "STATIC_URL"),
        "static_root": absolute(settings.STATIC_ROOT),
        "media_url": said(settings, "MEDIA_URL"),
        "media_root": absolute(settings.MEDIA_ROOT),
        "debug": bool(settings.DEBUG),
        "migrations": migrations(),
        "graph": graph(),
        "databases": {
            alias: {"engine": str(one.get("ENGINE") or ""), "name": str(one.get("NAME", "")), "vendor": vendor(alias)}
            for alias, one in settings.DATABASES.items()
        },
    }


def asgi_application(settings: Any) -> str:
    """Return the ASGI callable: the one that the settings name, else that of an asgi.py beside wsgi.py or the URLs."""
    from importlib.util import find_spec

    named = getattr(settings, "ASGI_APPLICATION", None)
    if named:
        return str(named)
    beside = (settings.WSGI_APPLICATION or "").rpartition(".")[0] or getattr(settings, "ROOT_URLCONF", "") or ""
    package = str(beside).rpartition(".")[0]
    try:
        return f"{package}.asgi.application" if package and find_spec(f"{package}.asgi") else ""
    except ImportError:
        return ""


def vendor(alias: str) -> str:
    """Return the database that a back end uses, whatever its name; unknown if it can't be loaded."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections

    try:
        return str(connections[alias].vendor)
    except ImproperlyConfigured:
        return "unknown"


def said(settings: Any, name: str) -> str:
    """Return a URL as the settings have it. Django adds the script prefix to a relative one when it is read."""
    return str(getattr(getattr(settings, "_wrapped", settings), name) or "")


def absolute(path: Any) -> str:
    return os.path.abspath(str(path)) if path else ""


def look(options: Options) -> dict[str, Any]:
    """Return findings about an Act that can play, without changing anything.

    Options:
        applied: migrations of another database, to find those that are pending there; null for the Act's own.
    """
    import django
    from django.db import DEFAULT_DB_ALIAS, connections
    from django.db.migrations.recorder import MigrationRecorder

    step("settings", django.setup)
    if options["applied"] is not None:
        known = list(options["applied"])
        MigrationRecorder.applied_migrations = lambda recorder: of_database(recorder.connection.alias, known)
    has_database = connections[DEFAULT_DB_ALIAS].vendor != "unknown"
    waiting = [name for alias in step("migrate", databases) for name in step("migrate", pending, alias)]
    return {
        "told": told_of_settings(options),
        "pages": step("urls", pages),
        "warnings": step("check", deployment_warnings),
        "unwritten": step("makemigrations", unwritten) if has_database else [],
        "pending": waiting,
    }


def deployment_warnings() -> list[str]:
    from django.core import checks

    found = checks.run_checks(include_deployment_checks=True)
    told = [message for message in found if message.level >= checks.WARNING and not message.is_silenced()]
    return sorted({f"{message.id}: {first_sentence(str(message.msg))}" for message in told})


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()))[0]


def unwritten() -> list[str]:
    """Return the apps with model changes that no migration contains."""
    from django.apps import apps
    from django.core.management import call_command

    out = io.StringIO()
    with contextlib.suppress(SystemExit):  # this is how it reports that there are some
        call_command("makemigrations", check_changes=True, dry_run=True, interactive=False, stdout=out)
    labels = re.findall(r"Migrations for '(\w+)'", out.getvalue())
    # packages are the responsibility of their authors
    return [label for label in labels if "/site-packages/" not in apps.get_app_config(label).path]


def pages() -> list[str]:
    """Return paths of the Act without arguments, in the order of its URLs, with the admin's last."""
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
    """Make the Act's management program call our function instead of a command, and return its result."""
    from django.core.management import ManagementUtility

    results: list[Any] = []

    def execute(_utility: Any) -> None:
        results.append(work())

    ManagementUtility.execute = execute
    return results


def run_manage(manage: str, words: list[str]) -> None:
    """Run the management program as if started by hand."""
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
    """Run the management program. A console script always ends in sys.exit()."""
    try:
        run_manage(manage, words)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


def answer(mode: str, options: Options) -> Any:
    try:
        set_prefix(os.environ.get("BACKSTAGE_PREFIX", ""))
        modes = {"build": build, "migrate": migrate, "applied": applied, "look": look, "survey": survey}
        modes.update(dump=dump, restore=restore)
        if mode == "dump":
            claim_output()
        results = [] if mode == "run" else take_over(lambda: modes[mode](options))
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


def told(error: Any, mode: str, at: str) -> str:
    """Return the text of an error. SQLite does not say that the directory of a file is missing, so it is added."""
    submodules = unfetched() if isinstance(error, ImportError) and "No module named" in str(error) else []
    if submodules:
        return f"the files of the submodule '{', '.join(submodules)}' are not there: {error}"
    text = in_full(error)
    if mode == "build" and at and re.search(r"^no such table: |^relation \".*\" does not exist", text):
        return f"the database is asked while the project is loaded, at {at}: {text}"  # the database of a build is empty
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
        at = own_place(failure.error if isinstance(failure.error, BaseException) else failure.__cause__)
        found = {
            "failed": failure.step,
            "error": type(failure.error).__name__ if isinstance(failure.error, BaseException) else "",
            "message": told(failure.error, mode, at)[:10_000],
            "applied": failure.applied,
            "half": failure.half,
            "at": at,
        }
        traceback.print_exception(failure.__cause__ or failure)
    except ANYTHING as error:
        found = {
            "failed": "settings",
            "error": type(error).__name__,
            "message": str(error)[:10_000],
            "at": own_place(error),
        }
        traceback.print_exc()
    report(found)
    os.close(REPORT.pop())
    return 1 if "failed" in found else 0


def end(code: int) -> None:
    """End this process, whatever threads the Act has started. A thread that never ends would block the exit.

    Functions registered with atexit are called before, as usual; the module allows seconds for that.
    """
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)


def command(options: str) -> int:
    """Run a management command like a shell does: print what it raises, and exit with its exit code."""
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
