# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options of a module or the variables of an inventory to a checked Manifest.

Everything wrong is found at once, before any host is touched; each line names the key, the value
and what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from . import checks, consistency, spec
from .nouns import Act, File, Gig, Health, Manifest, Seed, Sess, Source, Venue
from .problems import Problems, one_of

Item = dict[str, Any]

NOT_BUILT = {
    "backstage_acts": ("index", "static_urls", "database"),
    "backstage_acts.source": (
        "archive",
        "checksum",
        "package",
        "key",
        "username",
        "password",
        "submodules",
    ),
    "backstage_sesses": ("port", "idle"),
}
NOT_BUILT_VALUES = {
    ("stage", "gunicorn"): "uwsgi",
    ("state", "asleep"): "started or stopped",
    ("mode", "selfsigned"): "none",
    ("mode", "files"): "none",
    ("mode", "acme"): "none",
}
OVERLAYS = {"acts": "act_defaults", "sesses": "sess_defaults"}
SOURCE_KINDS = ("git", "path")


def parse(options: Mapping[str, Any]) -> Manifest:
    """Check the options of backstage_production and return the Manifest.

    Raises:
        Refusal: names every offending key and value, one a line.
    """
    problems = Problems()
    production = options["production"]
    problems.check("backstage_production", production, checks.production(production))
    acts = _acts(options, problems)
    sesses = {item["act"]: item for item in _nouns(options, "sesses", "act", spec.sess(), problems)}
    venues = _nouns(options, "venues", "name", spec.venue(), problems)
    gigs = _nouns(options, "gigs", "act", spec.gig(), problems, unique=False)
    problems.refuse()
    manifest = Manifest(
        production,
        acts,
        {name: Sess(**_given(item)) for name, item in sesses.items()},
        {item["name"]: _venue(item) for item in venues},
        [Gig(**_given(item)) for item in gigs],
    )
    for name in manifest.acts:
        if name not in manifest.sesses and manifest.gigs_of(name):
            default = _given(options.get("sess_defaults") or {})
            default["act"] = name
            manifest.sesses[name] = Sess(**default)
    consistency.check(manifest, options, problems)
    problems.refuse()
    return manifest


def _nouns(
    options: Mapping[str, Any], key: str, name: str, shape: spec.Spec, problems: Problems, unique: bool = True
) -> list[Item]:
    """The items of one list, laid over their defaults and checked by their spec."""
    validator = ArgumentSpecValidator(shape)
    defaults = _given(options.get(OVERLAYS.get(key, "")) or {})
    found: dict[str, Item] = {}
    items: list[Item] = []
    for index, item in enumerate(options.get(key) or []):
        where = f"backstage_{key}[{item.get(name) or index}]"
        if _refuse_unbuilt(f"backstage_{key}", where, item, problems):
            continue
        result = validator.validate(_overlay(defaults, item))
        for error in result.error_messages:
            problems.add(where, None, error)
        if result.error_messages:
            continue
        checked = result.validated_parameters
        if unique and checked[name] in found:
            problems.add(where, None, f"{name} '{checked[name]}' stands in the list twice; keep one")
        found[checked[name]] = checked
        items.append(checked)
    return items


def _refuse_unbuilt(table: str, where: str, item: Item, problems: Problems) -> bool:
    unbuilt = [key for key in NOT_BUILT.get(table, ()) if item.get(key) not in (None, "", [], {})]
    for key in unbuilt:
        problems.add(f"{where}.{key}", None, "this is not built yet; remove it")
    for key, value in item.items():
        if isinstance(value, str) and (key, value) in NOT_BUILT_VALUES:
            problems.add(f"{where}.{key}", value, f"this is not built yet; use {NOT_BUILT_VALUES[key, value]}")
            unbuilt.append(key)
        if isinstance(value, dict) and key in ("source", "tls"):
            unbuilt += [key] * _refuse_unbuilt(f"{table}.{key}", f"{where}.{key}", value, problems)
    return bool(unbuilt)


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> Item:
    """Lay one item over another; dictionaries merge, but a source has one kind."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            continue
        old = merged.get(key)
        mergeable = isinstance(value, dict) and isinstance(old, dict) and key != "source"
        merged[key] = _overlay(old or {}, value) if mergeable else value
    return merged


def _given(item: Mapping[str, Any]) -> Item:
    return {key: value for key, value in item.items() if value is not None}


def _acts(options: Mapping[str, Any], problems: Problems) -> dict[str, Act]:
    versions = dict(options.get("versions") or {})
    if options.get("version") and not options.get("only"):
        problems.add("version", options["version"], "name the Acts that it is for (-e act=kittens)")
    acts: dict[str, Act] = {}
    for item in _nouns(options, "acts", "name", spec.act(), problems):
        name = item["name"]
        where = f"backstage_acts[{name}]"
        problems.check(f"{where}.name", name, checks.act(name))
        version = versions.pop(name, None)
        if options.get("version") and name in (options.get("only") or []):
            version = options["version"]
        before = len(problems.lines)
        act = _act(item, where, version, problems)
        if act and len(problems.lines) == before:
            acts[name] = act
    for name in versions:
        problems.add(f"backstage_versions.{name}", None, one_of("no Act of this Production", acts))
    return acts


def _act(item: Item, where: str, version: Optional[str], problems: Problems) -> Optional[Act]:
    given = _given(item)
    source = _source(given.pop("source", None), f"{where}.source", version, problems)
    if source is None and given.get("state") != "absent":
        problems.add(f"{where}.source", None, f"is missing; give one of {', '.join(SOURCE_KINDS)}")
    files = [_file(file, f"{where}.files", problems) for file in given.pop("files", [])]
    seeds = [_seed(seed, f"{where}.seed", problems) for seed in given.pop("seed", [])]
    health = _given(given.pop("health", {}))
    if "status" in health:
        health["status"] = tuple(health["status"])
    for key in ("env", "secrets"):
        if key in given:
            given[key] = _variables(given[key], f"{where}.{key}", problems, key == "secrets")
    return Act(source=source, files=files, seed=seeds, health=Health(**health), **given)


def _source(item: Optional[Item], where: str, version: Optional[str], problems: Problems) -> Optional[Source]:
    if item is None:
        return None
    kinds = [kind for kind in SOURCE_KINDS if item.get(kind)]
    if len(kinds) != 1:
        problems.add(where, None, f"give exactly one of {', '.join(SOURCE_KINDS)}, not {len(kinds)} of them")
        return None
    kind = kinds[0]
    location, subdir = item[kind], item.get("subdir") or ""
    if subdir:
        problems.check(f"{where}.subdir", subdir, checks.directory(subdir))
    if kind == "path":
        if item.get("version") or version:
            problems.add(f"{where}.version", item.get("version") or version, "a path has no version; remove it")
        return Source(kind, location, subdir=subdir)
    version = version or item.get("version") or ""
    problems.check(f"{where}.git", location, checks.git_location(location))
    if not version:
        problems.add(f"{where}.version", None, "is missing; name a tag, a branch or a full commit id")
    else:
        problems.check(f"{where}.version", version, checks.git_version(version))
    return Source(kind, location, version, subdir)


def _file(item: Item, where: str, problems: Problems) -> File:
    path = item["path"]
    problems.check(f"{where}[{path}].path", path, checks.inner_path(path))
    if item.get("content") is None:
        # the controller's half has read src into content before a host is asked
        problems.add(f"{where}[{path}]", None, "give content or src")
    return File(path, item.get("content") or "")


def _seed(item: Item, where: str, problems: Problems) -> Seed:
    given = _given(item)
    where = f"{where}[{given['name']}]"
    problems.check(f"{where}.run", given["run"], checks.command_line(given["run"]))
    for key in ("env", "secrets"):
        given[key] = _variables(given.get(key, {}), f"{where}.{key}", problems, key == "secrets")
    return Seed(**given)


def _variables(values: Mapping[str, Any], where: str, problems: Problems, secret: bool) -> dict[str, str]:
    for name, value in values.items():
        problems.check(f"{where}.{name}", value, checks.variable(str(name), value), secret)
    return {str(name): str(value) for name, value in values.items()}


def _venue(item: Item) -> Venue:
    given = _given(item)
    tls = _given(given.pop("tls", {}))
    return Venue(tls=tls.get("mode", "none"), **given)
