# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of changes.yml as calls of modules: changes.py REPOSITORY prints them as JSON, in their order."""

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
PLACES = (
    "acts=/srv/backstage/{production}/acts vassals=/etc/backstage/vassals venues=/etc/nginx/backstage/venues; "
)

Item = dict[str, Any]


def laid_over(below: Item, above: Item) -> Item:
    """One dictionary over another; null takes a key out."""
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
    """The same data with {repository} and the commits of tags ({v2}) filled in."""
    if isinstance(value, dict):
        return {key: filled_in(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [filled_in(item, words) for item in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace("{" + word + "}", text)
    return value


def lists(manifest: Item) -> Item:
    """The manifest in its public form."""
    return {kind: [{key: name, **item} for name, item in manifest.get(kind, {}).items()] for kind, key in KEYS.items()}


def load(words: dict[str, str]) -> list[Item]:
    """Every change: its id and name, the module with the options of its call and of the call after it."""
    with open(FILE, encoding="utf-8") as file:
        chapters = filled_in(yaml.safe_load(file), words)
    steps: list[Item] = []
    for production, changes in chapters.items():
        manifest: Item = {}
        for number, change in enumerate(changes, 1):
            manifest = laid_over(manifest, change.get("manifest", {}))
            run = change.get("run", {})
            # a rollback is done once, and not a state that a second call finds
            asks = {} if "rollback" in run else run
            given = change.get("options") or lists(manifest)
            steps.append(
                {
                    "id": f"{production}-{number:02}",
                    "name": change["name"],
                    "production": production,
                    "disturb": PLACES.format(production=production) + change["disturb"] if "disturb" in change else "",
                    "module": change.get("module", "backstage_production"),
                    "options": {"production": production, **given, **run},
                    "again": {"production": production, **given, **asks},
                    "plan": change["plan"],
                    "unlisted": change.get("unlisted", []),
                }
            )
    return steps


def commits(repository: str) -> dict[str, str]:
    """Tag -> the commit that it names."""
    command = ["git", "-C", repository, "for-each-ref", "--format=%(refname:short) %(*objectname)", "refs/tags"]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(line.split() for line in said.splitlines())


if __name__ == "__main__":
    json.dump(load({"repository": sys.argv[1], **commits(sys.argv[1])}), sys.stdout)
