# SPDX-License-Identifier: GPL-3.0-or-later
"""Cures for missing JavaScript packages."""

from __future__ import annotations

from typing import Any

import pytest

from .cases import CODE, case, cure

NPM = "npm install --omit=dev"
IN_UI = "npm --prefix ui install --omit=dev"
NODE: list[tuple[str, str, dict[str, str], dict[str, Any], list[str]]] = [
    # (cause, what is missing, files, the Act, the command)
    ("node_modules missing", f"{CODE}/node_modules", {"package.json": "", "package-lock.json": ""}, {},
     ["npm ci --omit=dev"]),
    ("node_modules missing", f"{CODE}/node_modules", {"package.json": ""}, {}, [NPM]),
    ("node_modules missing", f"{CODE}/ui/node_modules", {"ui/package.json": ""}, {}, [IN_UI]),
    ("node_modules missing", f"{CODE}/node_modules", {"package.json": ""}, {"chdir": "site"},
     ["npm --prefix .. install --omit=dev"]),
    ("node_modules missing", f"{CODE}/node_modules", {"ui/package.json": ""}, {}, []),
    ("node_modules missing", "/opt/node_modules", {"package.json": ""}, {}, []),
    ("static files unbuilt", "a.css", {"ui/package.json": "", "x/settings.py": "BASE / 'ui/node_modules'"}, {},
     [IN_UI]),
    ("static files unbuilt", "a.css", {"ui/package.json": "", "x/settings.py": "BASE / 'static'"}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "word", "files", "item", "commands"), NODE)
def test_packages_of_javascript(
    name: str, word: str, files: dict[str, str], item: dict[str, Any], commands: list[str]
) -> None:
    made = case(word, files=files, item=item)
    cure(name, made)
    found = made.draft.item
    assert (found.get("build", []), found.get("packages", [])) == (commands, ["npm"] * len(commands))
    cure(name, made)
    assert found.get("build", []) == commands
