# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes that a line of the manifest cures: the cures for each row of the diagnosis.

A cure changes the draft. If it is called again for the same cause, it tries something further. If it changes nothing,
it has no further idea: what it wrote is removed, and the next cure is tried.
"""

from __future__ import annotations

import posixpath
import re

from ..diagnosis import build_tools
from ..diagnosis.package_names import PACKAGES
from ..manifest.nouns import Health
from ..stages import pages
from . import database_cures, node_cures, settings_cures, writable_cures
from .case import Case, Cure
from .draft import PLACEHOLDER, Draft

ADDED = "backstage-requirements.txt"
BUILDING = "backstage-build-constraints.txt"
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


def allow_hosts(case: Case) -> None:
    case.draft.override("ALLOWED_HOSTS", f"{HOSTS}\n{ORIGINS}", case.because)


def speak_http(case: Case) -> None:
    """Turn off the redirect to https. Turn off secure cookies, too, because they prevent a login over http."""
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    case.draft.override(names[0], "\n".join(f"{name} = False" for name in names), case.because)


def find_project(case: Case) -> None:
    """Find the program that manages the project: in another directory, as a module, or as a console script."""
    draft, survey = case.draft, case.draft.survey
    programs = survey.programs()
    nearest = next(iter(programs), "")
    directory = posixpath.dirname(nearest)
    if posixpath.basename(nearest) == "manage.py":
        if directory == draft.directory or not directory:
            return settings_cures.choose_settings(case)
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
    return settings_cures.choose_settings(case)


def find_django(case: Case) -> None:
    """Use manage.py's directory if Django is missing because the packages of another directory were installed."""
    draft, survey = case.draft, case.draft.survey
    nearest = next((name for name in survey.programs() if name.endswith("manage.py")), "")
    directory = posixpath.dirname(nearest)
    if case.word == "django" and directory != draft.directory and survey.packages_are_named_in(directory):
        because = f"Django is not among the packages of {draft.subdir or 'the top'}; manage.py is in {directory}"
        draft.set("source.subdir", directory, because)


def find_requirements(case: Case) -> None:
    """Name the files that list the packages, or list the packages in a new file."""
    draft, survey = case.draft, case.draft.survey
    nearest = next((name for name in survey.programs() if name.endswith("manage.py")), "")
    directory = posixpath.dirname(nearest)
    if directory and survey.packages_are_named_in(directory) and draft.directory != directory:
        return find_project(case)
    name_requirements(case)
    if survey.requirement_files(draft.subdir):
        return None
    version = survey.generated_by()
    _require(draft, f"Django~={version}" if version.count(".") > 1 else "Django", case.because)
    return None


def name_requirements(case: Case) -> None:
    found = case.draft.survey.requirement_files(case.draft.subdir)
    if found:
        case.draft.set("requirements", found[:1], f"{case.because}; there is {', '.join(found)}")


def _require(draft: Draft, requirement: str, because: str) -> None:
    """Add a package to a requirements file of the manifest, in addition to the project's own files."""
    if _add_line(draft, ADDED, requirement, because, "packages that it names nowhere") and not draft.wishes:
        draft.wishes.append(FREEZE)


def _add_line(draft: Draft, path: str, line: str, because: str, about: str) -> bool:
    """Add a line to a requirements file of the manifest. Return whether it was missing."""
    files = [file for file in draft.item.get("files", []) if file["path"] != path]
    before = "".join(file["content"] for file in draft.item.get("files", []) if file["path"] == path)
    if line in before.splitlines():
        return False
    draft.set("files", [*files, {"path": path, "content": f"{before}{line}\n"}], about)
    known = draft.item.get("requirements") or draft.survey.packages_are_named_in(draft.subdir or ".")
    if path not in known:
        draft.set("requirements", [*known, path], because)
    return True


def build_with_older(case: Case) -> None:
    """Build a package with the older tools that it needs."""
    constraint = build_tools.said(case.words)
    if constraint:
        _add_line(case.draft, BUILDING, constraint, case.because, "what packages are built with")


def require(case: Case) -> None:
    """Add the package of a missing module, if its name is certain."""
    draft = case.draft
    package = PACKAGES.get(case.word.split(".")[0])
    if package:
        _require(draft, package, case.because)


def give_variable(case: Case) -> None:
    """Give a variable that the settings read: a known value, or a placeholder that somebody has to replace."""
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
        # a number works for settings that parse it, too
        draft.give(name, "0" if _SWITCH.search(name) else PLACEHOLDER, case.because)
        if "DEBUG" not in name:
            draft.ask_for(name)


def require_client(case: Case) -> None:
    """Add a client library by the project's own requirements file that names it, otherwise by its name."""
    draft = case.draft
    known = draft.item.get("requirements") or draft.survey.packages_are_named_in(draft.subdir or ".")
    for name, included in draft.survey.naming("psycopg2?", draft.subdir):
        if name not in known:
            draft.set("requirements", [*(one for one in known if one not in included), name], case.because)
            return
    _require(draft, PACKAGES["psycopg"], case.because)


def run_redis(case: Case) -> None:
    """Install Debian's Redis on the host. If the settings look elsewhere, set the variables that they read."""
    host, _colon, port = case.word.rpartition(":")
    is_here = host in ("localhost", "127.0.0.1") and port == "6379"
    names = [] if is_here else case.draft.survey.variables(r"(?:[A-Z][A-Z0-9]*_)*?(?:REDIS|BROKER|CACHE)")
    given = {name: "redis://127.0.0.1:6379/0" for name in names if name.endswith(("URL", "URI", "LOCATION"))}
    given.update({name: "127.0.0.1" for name in names if name.endswith(("HOST", "HOSTNAME", "SERVER"))})
    for name, value in given.items():
        case.draft.give(name, value, f"{case.because}; {name} says where it is")
    if is_here or given:
        case.draft.add("packages", ["redis-server"], case.because)


def give_number(case: Case) -> None:
    """Replace a placeholder that the settings read as a number."""
    for name, value in case.draft.item.get("env", {}).items():
        if value == PLACEHOLDER:
            case.draft.give(name, "1", f"{name} is read as a number")
            return


def own_secret_key(case: Case) -> None:
    case.draft.keep_secret("SECRET_KEY", case.because)
    case.draft.override("SECRET_KEY", KEY, case.because)


def read_secret(case: Case) -> None:
    """Give SECRET_KEY first. If the settings do not read it, make them read it."""
    if "SECRET_KEY" in case.draft.item.get("secrets", {}):
        own_secret_key(case)
    case.draft.keep_secret("SECRET_KEY", case.because)


def own_static_root(case: Case) -> None:
    case.draft.override("STATIC_ROOT", 'STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]', case.because)


def own_root(case: Case) -> None:
    if case.word in ("STATIC_ROOT", "MEDIA_ROOT"):
        case.draft.override(case.word, f'{case.word} = os.environ["BACKSTAGE_{case.word}"]', case.because)


def no_debug(case: Case) -> None:
    case.draft.override("DEBUG", "DEBUG = False", case.because)


def application(case: Case) -> None:
    """Use the WSGI callable that exists, or add a file that defines one."""
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
    """Use another page if the requested one does not exist."""
    draft = case.draft
    tried = [path for path in case.pages() if path != "/"]
    before = draft.item.get("health", {}).get("path", "/")
    left = tried[tried.index(before) + 1 :] if before in tried else tried
    if left:
        draft.because.pop("health", None)
        draft.set("health.path", left[0], case.because)


def wait_longer(case: Case) -> None:
    """Double the time to start, at most twice, because the host may be slow or busy."""
    seconds = 2 * int(case.draft.item.get("health", {}).get("timeout") or Health.timeout)
    if seconds <= 4 * Health.timeout:
        case.draft.set("health.timeout", seconds, case.because)


ELSEWHERE = (
    "unreachable database",
    "wrong password",
    "password missing",
    "another user of the database",
    "database unknown",
    "database of others",
    "another database",
)
"""The settings name a database that is not the Act's own."""
CURES: dict[str, tuple[Cure, ...]] = {
    "host not allowed": (allow_hosts,),
    "https expected": (speak_http,),
    "management program missing": (find_project,),
    "settings module not found": (settings_cures.copy_example, find_project),
    "settings not named": (find_project,),
    "requirements not named": (find_requirements,),
    "no project table": (name_requirements,),
    "own module missing": (settings_cures.copy_example, settings_cures.choose_production),
    "missing module": (settings_cures.copy_example, find_django, settings_cures.choose_production, require),
    "missing module of a known package": (find_django, settings_cures.choose_production, require),
    "older tools needed": (build_with_older,),
    "missing environment variable": (database_cures.give_by_variables, give_variable),
    "DATABASE_URL missing": (database_cures.give_database,),
    "database not named": (database_cures.give_by_variables, database_cures.own_database),
    "PostgreSQL client missing": (require_client,),
    "MySQL client missing": (database_cures.give_another_engine,),
    "placeholder read as a number": (give_number,),
    "SECRET_KEY empty": (read_secret,),
    "SECRET_KEY in the code": (own_secret_key,),
    "debug": (settings_cures.choose_configuration, settings_cures.choose_production, no_debug),
    "STATIC_ROOT unset": (own_static_root,),
    "root outside": (own_root,),
    "read-only database": (writable_cures.write_database,),
    "database in the code": (writable_cures.write_database,),
    "database directory missing": (writable_cures.write_opened,),
    "directory not made": (writable_cures.make_directory,),
    "read-only file": (writable_cures.write_file,),
    "node_modules missing": (node_cures.install_node_packages,),
    "file of a page missing": (node_cures.install_for_static_files,),
    "static files unbuilt": (node_cures.install_for_static_files,),
    "unreachable Redis": (run_redis,),
    "directory missing": (writable_cures.write_directory,),
    "slow start": (wait_longer,),
    "wrong callable": (application,),
    "WSGI application not named": (application,),
    "nothing at the path": (other_page,),
    **dict.fromkeys(ELSEWHERE, (database_cures.give_by_variables, database_cures.own_database)),
}
"""Row of the diagnosis, or another finding of a rehearsal -> its cures, in the order in which they are tried."""
SAID = {
    PLACEHOLDER: "placeholder read as a number",
    "has no [project] table": "no project table",
    pages.WHERE: "file of a page missing",
    "raise health.timeout": "slow start",
}
"""Text of a failure that matches no row -> its cures."""
