# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings about an Act that loads, made inside the Act's own Python, for act_steps.

The module feeds this file to the interpreter before act_steps. It imports nothing of Backstage. Its findings contain no
value of a variable or of a setting.
"""

from __future__ import annotations

import json
import logging.handlers
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from typing import Any, Optional

EXPORTED = dict(os.environ)
"""The variables before the Act's own code ran."""
SMALL = 2**20
"""The maximum size of a file that settings may be read from, in bytes."""
SHORT = 1024
"""The maximum size of a git-lfs pointer, in bytes."""
SHORTEST = 8
"""The minimum length of a key to search for in files. A shorter one may be a normal word."""
_DOTENV = re.compile(r"(?:.*\.)?env(?:\..*)?\Z")
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_SETTINGS_FILE = re.compile(r".*\.(?:py|ini|cfg|toml|json|ya?ml|txt|key)\Z")
_LOAD_KEY = """
import hashlib, json, sys
sys.path[:] = json.loads(sys.argv[1])
from django.conf import settings
print(hashlib.sha256(str(settings.SECRET_KEY).encode()).hexdigest())
"""


def own_place(error: Optional[BaseException]) -> str:
    """Return file and line of the last frame in the project's own code of an error; empty if there is none."""
    known: set[int] = set()
    while error is not None and id(error) not in known:
        known.add(id(error))
        frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
        if isinstance(error, SyntaxError) and error.filename:
            frames.append((error.filename, error.lineno))
        places = [f"{in_code(name)}:{line}" for name, line in frames if is_own(name)]
        if places:
            return places[-1]
        error = error.__cause__ or error.__context__
    return ""


def is_own(name: str) -> bool:
    """Return whether a file is the project's: not a package's, Python's, or the program that starts everything."""
    foreign = f"{sys.prefix}/", f"{sys.base_prefix}/lib", "<"
    packages = "/site-packages/" in name or "/dist-packages/" in name
    return not packages and not name.startswith(foreign) and os.path.basename(name) != "manage.py"


def in_full(error: Any) -> str:
    """Return the text of an error with what it omits: the missing module behind it, or that a directory was made."""
    if isinstance(error, OSError) and _was_made(error):
        return f"{error} (mkdir)"
    text, cause = str(error), error if isinstance(error, ModuleNotFoundError) else getattr(error, "__cause__", None)
    if not isinstance(cause, ModuleNotFoundError):
        return text
    parent = sys.modules.get((cause.name or "").rpartition(".")[0])
    places = [getattr(parent, "__file__", None), *getattr(parent, "__path__", [])]
    if parent and any(place and is_own(place) for place in places):
        return f"{text}: the project's own module '{cause.name}': No module named '{cause.name}'"
    return text if str(cause) in text else f"{text}: {cause}"


def _was_made(error: OSError) -> bool:
    """Return whether an error comes from making a directory. Its text does not distinguish that from writing a file."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return any(frame.name in ("mkdir", "makedirs") or "mkdir(" in (frame.line or "") for frame in last)


def in_code(name: str) -> str:
    """Return a path as in the source."""
    return re.sub(r"^.*?/code/", "", os.path.abspath(name))


def changed_variables() -> list[str]:
    """Return the exported variables whose values have changed since the settings were loaded."""
    return sorted(name for name, value in EXPORTED.items() if os.environ.get(name) != value)


def overridden(code: str, given: list[str]) -> list[str]:
    """Return one sentence for each variable of the manifest that the project overrides."""
    names = [name for name in changed_variables() if name in given]
    return [
        f"{_where_set(code, name)} overrides {name}, which the manifest gives: have it keep a variable that is there"
        " already (load_dotenv without override=True)"
        for name in names
    ]


def _where_set(code: str, name: str) -> str:
    line = re.compile(rf"^\s*(?:export\s+)?{re.escape(name)}\s*=", re.MULTILINE)
    for path, text in _texts(code):
        if _DOTENV.match(os.path.basename(path)) and line.search(text):
            return f"the source's {in_code(path)}"
    return "the project"


def secret_key(code: str, key: str) -> list[str]:
    """Return what is wrong with the source of SECRET_KEY; nothing if a variable gives it."""
    cure = "give it in 'secrets', and have the settings read it from os.environ"
    if not key or key in EXPORTED.values():
        return []
    if len(key) >= SHORTEST:
        for path, text in _texts(code):
            if key in text:
                return [f"SECRET_KEY stands in {in_code(path)}, for everybody who can read the source: {cure}"]
    if _is_made_anew(key):
        return [f"SECRET_KEY is made anew at each start, which logs everybody out: {cure}"]
    return []


def _is_made_anew(key: str) -> bool:
    """Return whether another process has another key. Settings that only their own program can load are not tested."""
    import hashlib

    argv = [sys.executable, "-c", _LOAD_KEY, json.dumps(sys.path)]
    env = {**EXPORTED, "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "")}
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        return False
    said = done.stdout.split()[-1:]
    return done.returncode == 0 and said != [hashlib.sha256(key.encode()).hexdigest()]


def _texts(code: str) -> Iterator[tuple[str, str]]:
    """Yield the small source files that settings may be read from, with their texts."""
    for directory, directories, files in os.walk(code):
        directories[:] = sorted(name for name in directories if name not in ("node_modules", "__pycache__"))
        for name in sorted(files):
            path = os.path.join(directory, name)
            if not (_DOTENV.match(name) or _SETTINGS_FILE.match(name)) or os.path.islink(path):
                continue
            if os.path.isfile(path) and os.path.getsize(path) < SMALL:
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield path, file.read()


def pointers(code: str) -> list[str]:
    """Return files whose content git-lfs stores elsewhere. nginx would serve their pointers."""
    left = []
    for directory, _directories, files in os.walk(code):
        for path in (os.path.join(directory, name) for name in files):
            if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > SHORT:
                continue
            with open(path, "rb") as file:
                left += [in_code(path)] if file.read(len(_POINTER)) == _POINTER else []
    if not left:
        return []
    what = "files are pointers" if left[1:] else "file is a pointer"
    named = ", ".join(sorted(left)[:3]) + (" ..." if left[3:] else "")
    return [
        f"{len(left)} {what} of git-lfs, and not what they stand for ({named}): give a 'path' source of a checkout that"
        " git-lfs has filled"
    ]


def unfetched() -> list[str]:
    """Return the submodules of the project without any file here."""
    found = []
    top = os.getcwd()
    while "/code/" in top + "/":
        if os.path.isfile(os.path.join(top, ".gitmodules")):
            with open(os.path.join(top, ".gitmodules"), encoding="utf-8", errors="replace") as file:
                paths = re.findall(r"^\s*path\s*=\s*(\S.*?)\s*$", file.read(), re.MULTILINE)
            inner = [(path, os.path.join(top, path)) for path in paths]
            found += [name for name, path in inner if not os.path.isdir(path) or not os.listdir(path)]
        top = os.path.dirname(top)
    return found


def untranslated(code: str) -> list[str]:
    """Return message files of the project that are not compiled. Django reads only .mo files."""
    left = []
    for directory, _directories, files in os.walk(code):
        if directory.endswith("/LC_MESSAGES") and "/node_modules/" not in directory:
            left += [os.path.join(directory, name) for name in files if name.endswith(".po")]
    left = sorted(in_code(path) for path in left if not os.path.exists(path[:-3] + ".mo"))
    if not left:
        return []
    which, them = (f"{left[0]} and {len(left) - 1} more have", "them") if left[1:] else (f"{left[0]} has", "it")
    return [
        f"{which} no .mo file, so Django shows nothing of {them}: add 'compilemessages' to 'after_static', and gettext"
        " to 'packages'"
    ]


def unmigrated(code: str) -> list[str]:
    """Return the project's own apps that have models but no migrations. `migrate` creates no tables for them."""
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    labels = []
    for config in apps.get_app_configs():
        models = [model for model in config.get_models() if model._meta.managed and not model._meta.proxy]
        module, explicit = MigrationLoader.migrations_module(config.label)
        own = os.path.abspath(config.path).startswith(code + "/") and "/site-packages/" not in config.path
        if models and own and not (explicit and module is None) and not _has_migrations(config.path, str(module)):
            labels.append(config.label)
    return labels


def _has_migrations(path: str, module: str) -> bool:
    """Return whether an app has migrations, next to its models or in the module that MIGRATION_MODULES names."""
    from importlib.util import find_spec

    try:
        found = find_spec(module)
    except ImportError:
        found = None
    places = list(found.submodule_search_locations or []) if found else [os.path.join(path, "migrations")]
    files = [name for place in places if os.path.isdir(place) for name in os.listdir(place)]
    return any(name.endswith(".py") and name[0] not in "_~" for name in files)


def without_migrations(label: str) -> str:
    return (
        f"the app '{label}' has models and no migrations, so it has no tables: run makemigrations, take its migrations"
        " out of .gitignore, and commit them"
    )


def rotating(code: str) -> list[str]:
    """Return files inside the code that the project's logging rotates."""
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    handlers = [handler for logger in loggers for handler in logger.handlers]
    kind = logging.handlers.BaseRotatingHandler
    paths = {os.path.abspath(handler.baseFilename) for handler in handlers if isinstance(handler, kind)}
    return sorted(os.path.relpath(path, code) for path in paths if path.startswith(code + "/"))
