# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn Pipenv's lock into lines of a requirements file: every package with its version and its hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tomllib  # from Python 3.11, which every stage has

from ..host.errors import BackstageError

LOCK = "Pipfile.lock"
PIPFILE = "Pipfile"
_PYPI = "https://pypi.org/simple"
# keys that a Pipfile may use in place of a marker
_MARKERS = ("os_name", "sys_platform", "platform_machine", "platform_system", "python_version", "implementation_name")

Table = Mapping[str, Any]


def unlocked(path: str) -> BackstageError:
    """Return the refusal of a Pipfile without a lock, which does not name the versions of dependencies."""
    return BackstageError(
        f"{path} has no {LOCK} beside it: run 'pipenv lock' and commit that, or write a requirements.txt by 'pipenv"
        " requirements'",
        step="environment",
    )


def lines(path: str, lock: str, pipfile: str) -> list[str]:
    """Return the packages of the lock, without those for development.

    Args:
        path: the lock's path, for messages.
        lock: its text.
        pipfile: the text of the Pipfile beside it, for markers that Pipenv leaves out of the lock; may be empty.

    Raises:
        BackstageError: it can't be read, or lacks the version of a package.
    """
    try:
        told = json.loads(lock)
        named = tomllib.loads(pipfile).get("packages", {})
        packages: dict[str, Table] = told["default"]
        sources = [source["url"].rstrip("/") for source in told["_meta"]["sources"]]
        found = [_line(path, name, item, named.get(name)) for name, item in packages.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackstageError(
            f"{path} can't be read ({error}): make it anew by 'pipenv lock'", step="environment"
        ) from None
    indexes = [] if sources[:1] == [_PYPI] else [f"--index-url {url}" for url in sources[:1]]
    return indexes + [f"--extra-index-url {url}" for url in sources[1:]] + found


def _line(path: str, name: str, item: Table, written: Any) -> str:
    extras = f"[{','.join(item['extras'])}]" if item.get("extras") else ""
    marker = _marker(item) or (_marker(written) if isinstance(written, Mapping) else "")
    if item.get("git"):
        inside = f"#subdirectory={item['subdirectory']}" if item.get("subdirectory") else ""
        needed = f"{name}{extras} @ git+{item['git'].removeprefix('git+')}@{item['ref']}{inside}"
    elif item.get("path"):
        needed = f"{item['path'] if item['path'].startswith('.') else './' + item['path']}{extras}"
    elif item.get("file"):
        needed = f"{name}{extras} @ {item['file']}"
    elif item["version"] == "*" and not marker:
        raise BackstageError(
            f"{path} has no version of '{name}': run 'pipenv lock' where it can be installed", step="environment"
        )
    else:
        needed = f"{name}{extras}{item['version'].removeprefix('*')}"
    hashes = [f"--hash={value}" for value in item.get("hashes", [])]
    return " ".join([needed + (f" ; {marker}" if marker else ""), *hashes])


def _marker(item: Table) -> str:
    told = [f"({item['markers']})"] if item.get("markers") else []
    return " and ".join(told + [f"{key} {item[key]}" for key in _MARKERS if item.get(key)])
