# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes that a line of the manifest cures: from a row of the diagnosis to that line.

A cure changes the draft. One that changes nothing knows none, and the cause is what is missing.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from .databases import IN_A_FILE
from .drafts import PLACEHOLDER, Draft
from .host import Host
from .layout import Release
from .package_names import PACKAGES

ADDED = "backstage-requirements.txt"
FREEZE = (
    "its packages, each with the version that it is tested with: where it runs, 'pip freeze > requirements.txt' writes"
    " them down"
)
HOSTS = 'ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")'
ORIGINS = 'CSRF_TRUSTED_ORIGINS = os.environ["BACKSTAGE_ORIGINS"].split(",")'
KEY = 'SECRET_KEY = os.environ["SECRET_KEY"]'
_SECRET = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|PRIVATE|SALT|DSN|(?:^|_)KEY(?:$|_)|CREDENTIAL", re.IGNORECASE)
_OWN_KEY = re.compile(r"(?:^|_)SECRET_?KEY\Z|^SECRET\Z", re.IGNORECASE)
_SWITCH = re.compile(
    r"DEBUG|(?:^|_)(?:USE|ENABLE|ENABLED|IS|PORT|TIMEOUT|SIZE|COUNT|SECONDS|AGE|LEVEL|NUM|WORKERS)(?:_|$)"
)
_KNOWN_VALUES = {
    "CACHE_URL": "locmemcache://",
    "EMAIL_URL": "dummymail://",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:6379/0",
    "BROKER_URL": "redis://127.0.0.1:6379/0",
}


@dataclass
class Case:
    """A failure that is to be cured.

    Args:
        draft: the Act so far.
        words: what the diagnosis found, such as a variable's name.
        because: the diagnosis: the reason of every line that comes of it.
        names: the host names that the Act has to answer for.
        host: the host's facts.
        release: where the release was built.
        record: what is known of it, where it was built whole.
        commands: asks for console scripts of the environment that manage a Django project.
        pages: asks for pages that the Act has.
    """

    draft: Draft
    words: Sequence[str]
    because: str
    names: list[str]
    host: Host
    release: Release
    record: dict[str, Any] = field(default_factory=dict)
    commands: Callable[[], list[str]] = list
    pages: Callable[[], list[str]] = list

    @property
    def word(self) -> str:
        return self.words[0] if self.words else ""


def allow_hosts(case: Case) -> None:
    case.draft.override("ALLOWED_HOSTS", f"{HOSTS}\n{ORIGINS}", case.because)


def speak_http(case: Case) -> None:
    """Without the redirect secure cookies would keep everybody from logging in."""
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    case.draft.override(names[0], "\n".join(f"{name} = False" for name in names), case.because)


def find_project(case: Case) -> None:
    """Look for the program that manages the project: in another directory, a module, a console script."""
    draft, survey = case.draft, case.draft.survey
    programs = survey.programs()
    nearest = next(iter(programs), "")
    directory = posixpath.dirname(nearest)
    if posixpath.basename(nearest) == "manage.py":
        if directory == draft.directory or not directory:
            return _choose_settings(case)
        others = [posixpath.dirname(name) for name in programs[1:] if name.endswith("manage.py")]
        because = f"{case.because}; manage.py is in {directory}" + (f" (others: {', '.join(others)})" if others else "")
        if survey.packages_are_named_in(directory) or not survey.packages_are_named_in(draft.subdir or "."):
            draft.set("source.subdir", directory, because)
        else:
            draft.set("chdir", posixpath.relpath(directory, draft.subdir or "."), because)
        return None
    if posixpath.basename(nearest) == "__main__.py":
        draft.set("manage", "-m " + posixpath.basename(directory), f"{case.because}; {nearest} manages the project")
        return None
    commands = case.commands()
    if commands:
        draft.set("manage", commands[0], f"{case.because}; the package brings the command {commands[0]}")
    elif draft.item.get("manage") != "-m django":
        draft.set("manage", "-m django", f"{case.because}; Django's own command manages it")
    return _choose_settings(case)


def _choose_settings(case: Case) -> None:
    draft = case.draft
    module = draft.survey.settings(draft.directory)
    if module and module != draft.item.get("settings") and draft.survey.module(module, draft.directory):
        draft.set("settings", module, case.because)
        application = draft.survey.application(draft.directory)
        if application:
            draft.set("application", application, f"the WSGI callable of {application.partition(':')[0]}")


def find_requirements(case: Case) -> None:
    """Name the files that say which packages it needs, or say it in their place."""
    draft, survey = case.draft, case.draft.survey
    nearest = next((name for name in survey.programs() if name.endswith("manage.py")), "")
    directory = posixpath.dirname(nearest)
    if directory and survey.packages_are_named_in(directory) and draft.directory != directory:
        return find_project(case)
    found = survey.requirement_files(draft.subdir)
    if found:
        draft.set("requirements", found[:1], f"{case.because}; there is {', '.join(found)}")
        return None
    version = survey.generated_by()
    _require(draft, f"Django~={version}" if version.count(".") > 1 else "Django", case.because)
    return None


def _require(draft: Draft, requirement: str, because: str) -> None:
    """Add a package in a file of the manifest's own, beside those that the project has."""
    files = [file for file in draft.item.get("files", []) if file["path"] != ADDED]
    before = "".join(file["content"] for file in draft.item.get("files", []) if file["path"] == ADDED)
    if requirement in before.splitlines():
        return
    draft.set(
        "files", [*files, {"path": ADDED, "content": f"{before}{requirement}\n"}], "packages that it names nowhere"
    )
    if not draft.wishes:
        draft.wishes.append(FREEZE)
    known = draft.item.get("requirements") or draft.survey.packages_are_named_in(draft.subdir or ".")
    if ADDED not in known:
        draft.set("requirements", [*known, ADDED], because)


def require(case: Case) -> None:
    """Add the package of a missing module; settings for development that want it give way to those of production."""
    draft = case.draft
    if _choose_production(case):
        return
    package = PACKAGES.get(case.word.split(".")[0])
    if package:
        _require(draft, package, case.because)


def give_variable(case: Case) -> None:
    """Give a variable that the settings read: a value that is known, or one that somebody has to give."""
    draft, name = case.draft, case.word
    if _OWN_KEY.search(name):
        draft.keep_secret(name, case.because)
    elif "HOSTS" in name:
        draft.give(name, ",".join(case.names), case.because)
    elif name in _KNOWN_VALUES:
        draft.give(name, _KNOWN_VALUES[name], f"{case.because}; put the value here that it has on your host")
        draft.ask_for(name)
    elif _SECRET.search(name):
        draft.keep_secret(name, case.because)
        draft.ask_for(name)
    else:
        # a number, too, for what is read as one
        draft.give(name, "0" if _SWITCH.search(name) else PLACEHOLDER, case.because)
        if "DEBUG" not in name:
            draft.ask_for(name)


def give_database(case: Case) -> None:
    case.draft.set("database", {"engine": _engine(case)}, case.because)


def require_client(case: Case) -> None:
    _require(case.draft, PACKAGES["psycopg"], case.because)


def give_number(case: Case) -> None:
    """What was a placeholder is read as a number."""
    for name, value in case.draft.item.get("env", {}).items():
        if value == PLACEHOLDER:
            case.draft.give(name, "1", f"{name} is read as a number")
            return


def own_secret_key(case: Case) -> None:
    case.draft.keep_secret("SECRET_KEY", case.because)
    case.draft.override("SECRET_KEY", KEY, case.because)


def read_secret(case: Case) -> None:
    """Give SECRET_KEY first; where that is not read, have the settings read it."""
    if "SECRET_KEY" in case.draft.item.get("secrets", {}):
        own_secret_key(case)
    case.draft.keep_secret("SECRET_KEY", case.because)


def own_static_root(case: Case) -> None:
    case.draft.override("STATIC_ROOT", 'STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]', case.because)


def own_root(case: Case) -> None:
    if case.word in ("STATIC_ROOT", "MEDIA_ROOT"):
        case.draft.override(case.word, f'{case.word} = os.environ["BACKSTAGE_{case.word}"]', case.because)


def no_debug(case: Case) -> None:
    """Settings for development give way to those of production, where there are some."""
    if not _choose_production(case):
        case.draft.override("DEBUG", "DEBUG = False", case.because)


def _choose_production(case: Case) -> bool:
    draft = case.draft
    theirs = draft.theirs()
    module = draft.survey.settings_of_production(theirs, draft.directory)
    if module:
        draft.set("settings", module, f"{case.because}; {theirs} is for development")
    return bool(module)


def write_database(case: Case) -> None:
    """Let the Act write its SQLite files, where they lie inside the code."""
    for database in case.record.get("databases", {}).values():
        if database["engine"].endswith(IN_A_FILE):
            _write_database(case, _inside(case, database["name"]))


def write_opened(case: Case) -> None:
    _write_database(case, _inside(case, case.word))


def _write_database(case: Case, place: str) -> None:
    """The file itself; its directory where that is not in the source, because nothing was in it yet."""
    if not place:
        return
    directory, survey = posixpath.dirname(place), case.draft.survey
    source = posixpath.normpath(posixpath.join(case.draft.subdir, place))
    if directory and not any(name.startswith(posixpath.dirname(source) + "/") for name in survey.names):
        _write_directory(case, directory)
        return
    begins = (
        f"; it begins as a copy of the source's '{place}', users and all: move that away to begin with an empty one"
    )
    case.draft.add("writable", [place], case.because + (begins if survey.has(source) else ""))


def write_file(case: Case) -> None:
    """Let the Act write a file; the directory, where that is one of several that it writes there."""
    place = _inside(case, case.word)
    if not place:
        return
    known = case.draft.item.get("writable", [])
    beside = [name for name in known if posixpath.dirname(name.rstrip("/")) == posixpath.dirname(place)]
    if place in known or (beside and posixpath.dirname(place)):
        _write_directory(case, posixpath.dirname(place))
        return
    case.draft.add("writable", [place], case.because)


def write_directory(case: Case) -> None:
    """A directory that is not in the source, because nothing was in it yet."""
    _write_directory(case, posixpath.dirname(_inside(case, case.word)))


def _write_directory(case: Case, place: str) -> None:
    if not place:
        return
    kept = [name for name in case.draft.item.get("writable", []) if not name.startswith(place + "/")]
    if place + "/" not in kept:
        case.draft.set("writable", [*kept, place + "/"], case.because)


def _inside(case: Case, path: str) -> str:
    """A path inside the code as the manifest has it: from the source's subdir; empty for any other."""
    project = os.path.join(case.release.code, case.draft.directory)
    inner = os.path.relpath(os.path.join(project, path), os.path.join(case.release.code, case.draft.subdir))
    return "" if inner.startswith("..") or inner == "." else inner


def application(case: Case) -> None:
    """The WSGI callable that is there, or a file that makes one."""
    draft = case.draft
    found = draft.survey.application(draft.directory)
    if found and found != draft.item.get("application"):
        draft.set("application", found, case.because)
        return
    if found:
        return
    content = "from django.core.wsgi import get_wsgi_application\n\napplication = get_wsgi_application()\n"
    path = posixpath.normpath(posixpath.join(draft.item.get("chdir") or ".", "stage_wsgi.py"))
    draft.add("files", [{"path": path, "content": content}], f"{case.because}; this file makes one")
    draft.set("application", "stage_wsgi:application", case.because)


def other_page(case: Case) -> None:
    """Another page than one that is not there."""
    draft = case.draft
    tried = [path for path in case.pages() if path != "/"]
    before = draft.item.get("health", {}).get("path", "/")
    left = tried[tried.index(before) + 1 :] if before in tried else tried
    if left:
        draft.because.pop("health", None)
        draft.set("health.path", left[0], case.because)


def own_database(case: Case) -> None:
    """A database of the Act's own, in place of one that is somewhere else: settings that don't read it are told to."""
    draft = case.draft
    if not draft.item.get("database"):
        give_database(case)
        return
    engine = draft.item["database"]["engine"]
    backend, name = {
        "postgresql": ("postgresql", 'os.environ["DATABASE_URL"].rpartition("/")[2]'),
        "sqlite": ("sqlite3", 'os.path.join(os.environ["BACKSTAGE_DATA"], "db.sqlite3")'),
    }[engine]
    line = f'DATABASES = {{"default": {{"ENGINE": "django.db.backends.{backend}", "NAME": {name}}}}}'
    draft.override("DATABASES", line, case.because)


def _engine(case: Case) -> str:
    """PostgreSQL for a project that has its driver, on a host that has it; else SQLite."""
    needs = case.draft.survey.needs("psycopg2?")
    return "postgresql" if needs and case.host.has_database else "sqlite"


CURES: dict[str, Callable[[Case], None]] = {
    "host not allowed": allow_hosts,
    "https expected": speak_http,
    "management program missing": find_project,
    "settings module not found": find_project,
    "settings not named": find_project,
    "requirements not named": find_requirements,
    "missing module": require,
    "missing module of a known package": require,
    "missing environment variable": give_variable,
    "DATABASE_URL missing": give_database,
    "PostgreSQL client missing": require_client,
    "placeholder read as a number": give_number,
    "SECRET_KEY empty": read_secret,
    "SECRET_KEY in the code": own_secret_key,
    "debug": no_debug,
    "STATIC_ROOT unset": own_static_root,
    "root outside": own_root,
    "read-only database": write_database,
    "database in the code": write_database,
    "database directory missing": write_opened,
    "read-only file": write_file,
    "directory missing": write_directory,
    "wrong callable": application,
    "WSGI application not named": application,
    "nothing at the path": other_page,
    "unreachable database": own_database,
    "wrong password": own_database,
    "password missing": own_database,
    "another user of the database": own_database,
    "database unknown": own_database,
    "database of others": own_database,
    "another database": own_database,
}
"""Row of the diagnosis, or what else a rehearsal finds -> its cure."""
