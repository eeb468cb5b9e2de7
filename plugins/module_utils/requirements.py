# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages an Act needs: found in its code, with every included file followed."""

from __future__ import annotations

import os
import posixpath
import re
from typing import Optional

from .errors import BackstageError

FOUND = ("requirements.txt",)
LATER = ("uv.lock", "pylock.toml", "pyproject.toml")
_INCLUDE = re.compile(r"(?:-r\s*|--requirement(?:\s+|=))(\S+)\s*\Z")
_CONSTRAINT = re.compile(r"(?:-c\s*|--constraint(?:\s+|=))(\S+)\s*\Z")
_LOCAL = re.compile(r"-e|--editable(\s|=)|\.{0,2}/|\.\s*\Z|\.\[|file:|[\w.-]+(\[.*\])?\s*@\s*file:")


def collect(project: str, named: Optional[list[str]]) -> dict[str, str]:
    """Read all requirement texts of a project; runs as its builder.

    Args:
        project: the directory with manage.py.
        named: the manifest's list, relative to it; None to find them.

    Returns:
        The flattened ``requirements`` and ``constraints``.

    Raises:
        BackstageError: a file is missing, or a line can't be used.
    """
    paths = _find(project) if named is None else named
    requirements: list[str] = []
    constraints: list[str] = []
    seen: set[tuple[str, bool]] = set()
    for path in paths:
        _flatten(project, path, requirements, constraints, seen)
    return {"requirements": "\n".join(requirements), "constraints": "\n".join(constraints)}


def _find(project: str) -> list[str]:
    found = [name for name in FOUND if os.path.isfile(os.path.join(project, name))]
    if found:
        return found[:1]
    for name in LATER:
        if os.path.isfile(os.path.join(project, name)):
            raise BackstageError(
                f"requirements from {name} are not built yet; add a requirements.txt", step="environment"
            )
    raise BackstageError(
        "the project says nowhere which packages it needs; add a requirements.txt, or name its files in 'requirements'",
        step="environment",
    )


def _flatten(
    project: str, path: str, requirements: list[str], constraints: list[str], seen: set[tuple[str, bool]]
) -> None:
    """Add the lines of a file, and of those it includes; a file may be both, but each once."""
    path = posixpath.normpath(path)
    if (path, requirements is constraints) in seen:
        return
    seen.add((path, requirements is constraints))
    for line in _lines(project, path):
        include, constraint = _INCLUDE.match(line), _CONSTRAINT.match(line)
        if include:
            inner = posixpath.join(posixpath.dirname(path), include.group(1))
            _flatten(project, inner, requirements, constraints, seen)
        elif constraint:
            inner = posixpath.join(posixpath.dirname(path), constraint.group(1))
            _flatten(project, inner, constraints, constraints, seen)
        elif _LOCAL.match(line):
            raise BackstageError(
                f"{path}: '{line}' refers to the project itself, which is not built yet", step="environment"
            )
        else:
            requirements.append(line)


def _lines(project: str, path: str) -> list[str]:
    if path.startswith("/") or path.split("/", 1)[0] == "..":
        raise BackstageError(f"the requirements file '{path}' is outside the project", step="environment")
    try:
        with open(os.path.join(project, path), encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        raise BackstageError(f"the requirements file '{path}' is not in the project", step="environment") from None
    joined = re.sub(r"\\\n", " ", text)
    stripped = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in stripped if line]
