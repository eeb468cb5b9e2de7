# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn Poetry's lock into requirements: the project's own dependencies, pinned, and constraints for all others.

The installer finds out which package needs which. Constraints install nothing, so they may contain packages for
development and for other systems.

Source:
    Poetry's manual, "The pyproject.toml file", "Dependency specification"; locks of its formats 1.1, 2.0 and 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..host.errors import BackstageError

LOCK = "poetry.lock"
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[^]]*\])?\s*(?P<version>[^;@]*)(?P<marker>;.*)?\Z")
_PYTHON = re.compile(r"(?P<sign>[\^~]|[<>=!~]=?)?\s*v?(?P<version>\d+(?:\.\d+)*)(?P<any>\.\*)?\Z")

Table = Mapping[str, Any]


def lines(path: str, lock: Table, pyproject: Table) -> tuple[list[str], list[str]]:
    """Return the lines of the requirements, and those of the constraints.

    Args:
        path: the lock's path, for messages.
        lock: its contents.
        pyproject: the contents of the pyproject.toml beside it.

    Raises:
        BackstageError: the lock has another format, or lacks a package that the project names.
    """
    try:
        pins = _pins(lock)
        indexes = dict.fromkeys(one["source"]["url"] for one in lock["package"] if _kind(one) == "legacy")
        wanted = list(_wanted(path, pyproject, pins))
    except (KeyError, TypeError, AttributeError) as error:
        raise BackstageError(
            f"{path} can't be read ({error}): make it anew by 'poetry lock'", step="environment"
        ) from None
    pinned = {_plain(name) for name, _line in wanted if len(pins.get(_plain(name), ())) == 1}
    others = [pin for name, found in pins.items() if name not in pinned for pin in found]
    # a constraint can't name a path in the source; the package that needs it names it
    constraints = [name + rest for name, rest in others if " @ file:" not in rest]
    return [f"--extra-index-url {url}" for url in indexes] + [line for _name, line in wanted], constraints


Pins = dict[str, list[tuple[str, str]]]
"""Package -> its name and the rest of its line, for each locked version. Several versions differ by markers."""


def _pins(lock: Table) -> Pins:
    hashes = lock.get("metadata", {}).get("files", {})  # their place in formats before 2.0
    found: dict[str, list[Table]] = {}
    for package in lock["package"]:
        found.setdefault(_plain(package["name"]), []).append(package)
    pins: Pins = {}
    for name, packages in found.items():
        if len(packages) == 1 or all(_marker(package) for package in packages):
            told = [_told(package, hashes.get(package["name"], [])) for package in packages]
            pins[name] = [(package["name"], rest) for package, rest in zip(packages, told)]
        else:
            pins[name] = []  # the installer chooses
    return pins


def _told(package: Table, files: list[Table]) -> str:
    """Return the rest of the line after the name of a locked package."""
    source, kind = package.get("source", {}), _kind(package)
    marker = f" ; ({_marker(package)})" if _marker(package) else ""
    if kind == "git":
        inside = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
        return f" @ git+{source['url']}@{source['resolved_reference']}{inside}{marker}"
    if kind in ("directory", "file"):
        return f" @ file:{source['url']}{marker}"
    if kind == "url":
        return f" @ {source['url']}{marker}"
    hashes = [f"--hash={file['hash']}" for file in package.get("files") or files]
    return " ".join([f"=={package['version']}{marker}", *hashes])


def _kind(package: Table) -> str:
    return str(package.get("source", {}).get("type", ""))


def _marker(package: Table) -> str:
    """Return the marker of a locked version. A table has one for each group."""
    found = package.get("markers", "")
    return str(found if isinstance(found, str) else found.get("main", ""))


def _wanted(path: str, pyproject: Table, pins: Pins) -> Iterator[tuple[str, str]]:
    """Yield what the project itself needs: each name with its line."""
    for line in pyproject.get("project", {}).get("dependencies", []):
        match = _NAMED.match(line.strip())
        if match:
            marker = match["marker"].lstrip("; ") if match["marker"] else ""
            yield match["name"], _line(path, match["name"], match["extras"] or "", marker, pins)
        else:
            yield re.split(r"[\s@[]", line.strip())[0], line.strip()
    told = {_plain(re.split(r"[^\w.-]", line)[0]) for line in pyproject.get("project", {}).get("dependencies", [])}
    for name, needed in pyproject.get("tool", {}).get("poetry", {}).get("dependencies", {}).items():
        if name == "python" or _plain(name) in told:
            continue
        tables = [one if isinstance(one, Mapping) else {} for one in (needed if isinstance(needed, list) else [needed])]
        for one in tables:
            if not one.get("optional"):
                extras = f"[{','.join(one['extras'])}]" if one.get("extras") else ""
                yield name, _line(path, name, extras, _condition(one), pins)


def _line(path: str, name: str, extras: str, marker: str, pins: Pins) -> str:
    """Return a package as the project names it, with its locked version."""
    if _plain(name) not in pins:
        raise BackstageError(
            f"{path} has no version of '{name}', which pyproject.toml names: run 'poetry lock' and commit that",
            step="environment",
        )
    found = pins[_plain(name)]
    if len(found) != 1:  # the constraints, or the installer, decide
        return f"{name}{extras}" + (f" ; {marker}" if marker else "")
    version, mark, hashes = found[0][1].partition(" --hash=")
    version, _semicolon, own = version.partition(" ; ")
    markers = f"({marker}) and {own}" if marker and own else marker or own
    return f"{name}{extras}{version}" + (f" ; {markers}" if markers else "") + mark + hashes


def _condition(needed: Table) -> str:
    """Return the marker of a dependency in Poetry's own table."""
    parts = [str(needed.get("markers", "")), _python(str(needed.get("python", "")))]
    parts += [f"sys_platform == '{needed['platform']}'"] if needed.get("platform") else []
    return " and ".join(f"({part})" for part in parts if part)


def _python(told: str) -> str:
    """Return Poetry's Python versions as a marker; empty if all versions match."""
    either = [" and ".join(_bounds(part)) for part in re.split(r"\s*\|\|?\s*", told.strip())]
    return " or ".join(part for part in either if part)


def _bounds(told: str) -> Iterator[str]:
    for part in re.split(r"\s*,\s*|(?<=[\d*])\s+", told.strip()):
        match = _PYTHON.match(part)
        if not match:
            continue
        sign, version = match["sign"] or "", match["version"]
        numbers = [int(number) for number in version.split(".")]
        if sign in ("^", "~", "~=") or (match["any"] and sign in ("", "==")):
            yield f"python_full_version >= '{version}'"
            yield f"python_full_version < '{_end(sign, numbers)}'"
        else:
            yield f"python_full_version {sign if sign not in ('', '=') else '=='} '{version}'"


def _end(sign: str, numbers: list[int]) -> str:
    """Return the first version that does not match any more."""
    if sign == "^":
        kept = numbers[:1]
    elif sign == "":
        kept = numbers
    elif sign == "~":
        kept = numbers[:2]
    else:
        kept = numbers[:-1] or numbers
    return ".".join(str(number) for number in [*kept[:-1], kept[-1] + 1])


def _plain(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
