# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the migrations of releases with those of databases. A build records them, so nothing is run for that.

A migration is written ``app.name``; one of another database than Django's default as ``app.name (alias)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Optional

from ..state.read import ActState

Graph = dict[str, list[str]]
"""Migration -> those that it replaces."""
_WRITTEN = re.compile(r"(?P<app>[^.]*)\.(?P<name>.*?)(?: \((?P<alias>[^()]*)\))?\Z", re.DOTALL)
_DEFAULT = "default"


def written(app: str, name: str) -> str:
    """Return a migration as it is written here.

    Args:
        app: its app; with ``alias/`` before it for another database.
        name: its name.
    """
    alias, _slash, label = app.rpartition("/")
    return _in_database(f"{label}.{name}", alias or _DEFAULT)


def _in_database(name: str, alias: str) -> str:
    return name if alias == _DEFAULT else f"{name} ({alias})"


def of_release(release: dict[str, Any]) -> Optional[Graph]:
    """Return the migrations of a release in all databases that it migrates; None if the build could not tell."""
    graph: Optional[Graph] = release.get("graph")
    if graph is None:
        return None
    return {
        _in_database(name, alias): [_in_database(one, alias) for one in replaced]
        for alias in release.get("migrated", [_DEFAULT])
        for name, replaced in graph.items()
    }


def supposed(state: ActState, database: str) -> set[str]:
    """Return the migrations that the databases should have after all runs.

    Args:
        state: the Act on disk.
        database: the engine that the manifest gives; empty for the project's own database.
    """
    found: set[str] = set()
    for event in state.history.migrations(database):
        found.update(event.get("applied", []))
        found.update(of_release(state.releases.get(str(event.get("release")), {})) or {})
    return found


def newer(applied: Iterable[str], known: Graph, others: Iterable[Optional[Graph]]) -> list[str]:
    """Return the migrations that a database has and the code of a release does not know.

    Args:
        applied: what the databases have.
        known: the migrations of the release.
        others: those of other releases. One that only replaces known migrations is nothing new.
    """
    has = _with_replaced(known)
    aliases = {_alias(name) for name in known}
    replacing = {name: replaced for graph in others for name, replaced in (graph or {}).items() if replaced}
    return sorted(
        name
        for name in set(applied) - has
        if _alias(name) in aliases and not (name in replacing and set(replacing[name]) <= has)
    )


def warning(state: ActState, release: str, database: str) -> str:
    """Return a sentence about a release that does not know all that runs applied; empty if it does, or nobody knows.

    Args:
        state: the Act on disk.
        release: the release.
        database: the engine that the manifest gives; empty for the project's own database.
    """
    known = of_release(state.releases.get(release, {}))
    if known is None or state.history.moved() >= 0:
        return ""
    found = newer(supposed(state, database), known, map(of_release, state.releases.values()))
    if not found:
        return ""
    return (
        f"release {release} does not know migrations that were applied: {', '.join(found)}; if its code does not work"
        " with them, play the newer release again and undo them (backstage.django.manage -e 'run=\"migrate ...\"')"
    )


def pending(applied: set[str], known: Graph) -> list[str]:
    """Return the migrations of a release that a database lacks."""
    replacing: dict[str, list[str]] = {}
    for name, replaced in known.items():
        for one in replaced:
            replacing.setdefault(one, []).append(name)
    return [
        name
        for name, replaced in sorted(known.items())
        if name not in applied
        and not (replaced and set(replaced) <= applied)
        and not applied & set(replacing.get(name, []))
    ]


def undoing(names: Iterable[str], known: Graph) -> list[str]:
    """Return the management commands that undo migrations, as far back as a release knows them."""
    commands = {}
    for name in names:
        app, alias = _app(name), _alias(name)
        kept = [_name(one) for one in _with_replaced(known) if (_app(one), _alias(one)) == (app, alias)]
        database = "" if alias == _DEFAULT else f" --database {alias}"
        commands[app, alias] = f"migrate {app} {max(kept, default='zero')}{database}"
    return list(commands.values())


def _with_replaced(known: Graph) -> set[str]:
    return {*known, *(one for replaced in known.values() for one in replaced)}


def _part(name: str, part: str) -> str:
    match = _WRITTEN.match(name)
    return (match.group(part) or "") if match else ""


def _app(name: str) -> str:
    return _part(name, "app")


def _name(name: str) -> str:
    return _part(name, "name")


def _alias(name: str) -> str:
    return _part(name, "alias") or _DEFAULT
