# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules of this collection for a program that a host runs by itself, with all that they import."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..module_utils.host import files

MODULE_UTILS = Path(__file__).parents[1] / "module_utils"
PACKAGE = "backstage"
_OWNERSHIP = f"# {files.OWNERSHIP}\n"


def expanded(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of backstage_files with the directories and files of a library in place of its modules."""
    found = {key: value for key, value in arguments.items() if key != "library"}
    library = arguments.get("library")
    if not library:
        return found
    texts = texts_of(library["modules"])
    root = os.path.join(library["path"], PACKAGE)
    places = sorted({os.path.join(root, os.path.dirname(name)).rstrip("/") for name in texts})
    written = [{"path": os.path.join(root, name), "content": text} for name, text in sorted(texts.items())]
    found["directories"] = [*(found.get("directories") or []), *({"path": place} for place in places)]
    found["files"] = [*(found.get("files") or []), *written]
    return found


def texts_of(modules: Iterable[str]) -> dict[str, str]:
    """Return the files of a package with these modules of module_utils and all that they import: path -> text."""
    names = needed(MODULE_UTILS / module for module in modules)
    found = {str(name.relative_to(MODULE_UTILS)): _OWNERSHIP + name.read_text(encoding="utf-8") for name in names}
    folders = {"", *(os.path.dirname(name) for name in found)}
    return {**found, **{os.path.join(folder, "__init__.py"): _OWNERSHIP for folder in folders}}


def needed(modules: Iterable[Path]) -> set[Path]:
    """Return these modules and all others of this collection that they import, also inside their functions."""
    found: set[Path] = set()
    waiting = set(modules)
    while waiting:
        found |= waiting
        waiting = {one for module in waiting for one in _imported(module)} - found
    return found


def _imported(module: Path) -> set[Path]:
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            names = [origin.with_suffix(".py"), *(origin / f"{alias.name}.py" for alias in node.names)]
            found |= {name for name in names if name.is_file()}
    return found
