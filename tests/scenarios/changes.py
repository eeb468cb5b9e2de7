# SPDX-License-Identifier: GPL-3.0-or-later
"""changes.py REPOSITORY: print the changes of changes.yml as calls of modules, as JSON, in their order."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("changes.yml")
KEYS = {"acts": "name", "sesses": "act", "venues": "name", "gigs": "venue"}
PLACES = "acts=/srv/backstage/{production}/acts vassals=/etc/backstage/vassals venues=/etc/nginx/backstage/venues; "
# options that order something once; all others describe a state, and a second run with them changes nothing
ONCE = {"rollback", "delete_data"}

Item = dict[str, Any]


def laid_over(below: Item, above: Item) -> Item:
    """Merge a dictionary into another one. A value of None removes the key."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = laid_over(merged[key], value)
        else:
            merged[key] = deepcopy(value)
    return merged


def filled_in(value: Any, words: dict[str, str]) -> Any:
    """Return the data with {repository} and the commits of tags ({v2}) filled in."""
    if isinstance(value, dict):
        return {key: filled_in(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [filled_in(item, words) for item in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace("{" + word + "}", text)
    return value


def load(repository: str) -> list[Item]:
    """Return every change in its order: id, name, host, and the calls that plan, make and repeat it."""
    with open(FILE, encoding="utf-8") as file:
        chapters = filled_in(yaml.safe_load(file), {"repository": repository, **_commits(repository)})
    return [step for chapter in chapters for step in _steps(chapter)]


def _steps(chapter: Item) -> list[Item]:
    production, manifest = chapter["production"], {}
    steps = []
    for number, change in enumerate(chapter["changes"], 1):
        manifest = laid_over(manifest, change.get("manifest", {}))
        run = change.get("run", {})
        given = {"production": production, **(change.get("options") or _lists(manifest))}
        disturbance = PLACES.format(production=production) + change["disturb"] if "disturb" in change else ""
        steps.append(
            {
                "id": f"{production}-{number:02}",
                "name": change["name"],
                "host": chapter["host"],
                "production": production,
                "disturb": disturbance,
                # the look after a change is the look before the next one, unless a disturbance comes between them
                "look": number == 1 or bool(disturbance),
                "module": change.get("module", "backstage_production"),
                "options": {**given, **run},
                "again": {**given, **{key: value for key, value in run.items() if key not in ONCE}},
                "plan": change["plan"],
                "unlisted": change.get("unlisted", []),
            }
        )
    return steps


def _lists(manifest: Item) -> Item:
    """Return the manifest in its public form."""
    return {kind: [{key: name, **item} for name, item in manifest.get(kind, {}).items()] for kind, key in KEYS.items()}


def _commits(repository: str) -> dict[str, str]:
    """Return the commit of each tag."""
    command = ["git", "-C", repository, "for-each-ref", "--format=%(refname:short) %(*objectname)", "refs/tags"]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(line.split() for line in said.splitlines())


def secrets(value: Any) -> set[str]:
    """Return every secret in some data."""
    if isinstance(value, dict):
        own = {str(secret) for secret in value.get("secrets", {}).values()}
        return own.union(*(secrets(item) for item in value.values()))
    return set().union(*(secrets(item) for item in value)) if isinstance(value, list) else set()


if __name__ == "__main__":
    json.dump(load(sys.argv[1]), sys.stdout)
