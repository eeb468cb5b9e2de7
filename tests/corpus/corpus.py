# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus of corpus.yml, as directories and as manifests."""

from __future__ import annotations

import hashlib
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import projects
import yaml

FILE = Path(__file__).with_name("corpus.yml")

Entry = dict[str, Any]


def load() -> list[Entry]:
    """Every project, in its order."""
    found: list[Entry] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["projects"]
    return found


def filled_in(value: Any, words: dict[str, str]) -> Any:
    """The same data with {supplies}, {password} and the like filled in."""
    if isinstance(value, dict):
        return {key: filled_in(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [filled_in(item, words) for item in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace("{" + word + "}", text)
    return value


def act(entry: Entry, directory: Path, fixed: bool) -> dict[str, Any]:
    """The Act of a project, as it is or with its lines; a source's own lines are laid over the source."""
    found = {"name": entry["name"], "source": {"path": str(directory / entry["name"])}}
    for lines in (entry.get("given", {}), {"source": entry.get("source", {})}, entry.get("lines", {}) if fixed else {}):
        for key, value in deepcopy(lines).items():
            found[key] = value if key != "source" or "package" in value else {**found["source"], **value}
    return found


def venues(entry: Entry) -> list[str]:
    return entry.get("venues", [f"{entry['name']}.example.com"])


def probes(entry: Entry) -> list[dict[str, Any]]:
    """What the project promises with its lines, each with the Venue that is asked."""
    name = entry["name"]
    usual = [
        {"path": "/", "status": 200, "text": f"{name} plays"},
        {"path": "/static/club/club.css", "status": 200, "ctype": "text/css"},
    ]
    return [{"venue": venues(entry)[0], **probe} for probe in entry.get("probes", usual)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(target: Path, bed: projects.Bed) -> None:
    """Make all projects anew."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for entry in load():
        if "source" not in entry:
            projects.make(entry["name"], target / entry["name"], bed)


def host(number: int) -> str:
    """Where the nth project plays: they take turns, so that both Debians meet half of them."""
    return ("h1", "h2")[number % 2]


def manifest(directory: Path, words: dict[str, str], fixed: bool, everywhere: bool = False) -> dict[str, Any]:
    """All projects as one Production.

    Args:
        directory: where the projects are.
        words: what is filled in.
        fixed: with their lines, or as they are.
        everywhere: each on both hosts.
    """
    entries = load()
    booked = [(entry["name"], venue, entry.get("path", "/")) for entry in entries for venue in venues(entry)]
    return {
        "backstage_production": "corpus",
        "backstage_act_defaults": filled_in({"index": {"url": "{supplies}/simple/"}}, words),
        "backstage_sess_defaults": {"processes": 1, "hosts": "{{ inventory_hostname }}"},
        "backstage_acts": filled_in([act(entry, directory, fixed) for entry in entries], words),
        "backstage_sesses": []
        if everywhere
        else [{"act": entry["name"], "hosts": host(number)} for number, entry in enumerate(entries)],
        "backstage_venues": [{"name": venue} for _act, venue, _path in booked],
        "backstage_gigs": [{"act": name, "venue": venue, "path": path} for name, venue, path in booked],
    }
