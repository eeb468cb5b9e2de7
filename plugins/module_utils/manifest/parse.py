# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options of a module or the variables of an inventory to a checked Manifest.

All mistakes are found at once, before any host is touched. Each line names the key, the value
and the right value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from . import checks, consistency, shapes, sources, spec, values, venue_checks
from .acme import Acme
from .consistency import Listed
from .jobs import Hooks, Seed, Timer, Worker
from .nouns import Act, Auth, File, Gig, Health, Index, Limits, Manifest, Proxies, Rate, Sess, StaticUrl, Tls, Venue
from .problems import Problems, one_of
from .shapes import Item


def parse(options: Mapping[str, Any]) -> Manifest:
    """Check the options of backstage_production and return the Manifest.

    Raises:
        Refusal: names every offending key and value, one a line.
    """
    problems = Problems()
    found = read(options, problems)
    problems.refuse()
    return found


def read(options: Mapping[str, Any], problems: Problems) -> Manifest:
    """Return the Manifest of all items without mistakes, so that contradictions among them are reported, too."""
    production = str(options["production"])
    problems.check("backstage_production", production, checks.production(production))
    acts = _acts(options, problems)
    venues = _by_name(shapes.items(options, "venues", "name", spec.venue(), problems), "name", "venues", problems)
    gigs = [_gig(item) for item in shapes.items(options, "gigs", "act", spec.gig(), problems)]
    sesses = _by_name(_sesses(options, acts, gigs, problems), "act", "sesses", problems)
    manifest = Manifest(
        production,
        acts,
        {name: _sess(item) for name, item in sesses.items()},
        {name: _venue(item) for name, item in venues.items()},
        gigs,
        _acme(options, problems),
    )
    if options.get(shapes.CHECKED):
        return manifest
    listed = Listed(_names(options, "acts"), _names(options, "venues"))
    consistency.check(manifest, options, listed, problems)
    return manifest


def _names(options: Mapping[str, Any], key: str) -> Optional[frozenset[str]]:
    """Return the names in a list, also those of items with mistakes; None if one of them is not known."""
    listed = options.get(key) or []
    found = [item.get("name") if isinstance(item, Mapping) else None for item in listed]
    return frozenset(map(str, found)) if isinstance(listed, list) and None not in found else None


def _by_name(items: list[Item], name: str, key: str, problems: Problems) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for item in items:
        if item[name] in found:
            problems.add(f"backstage_{key}[{item[name]}]", None, "stands in the list twice; keep one")
        found[item[name]] = item
    return found


def _sesses(options: Mapping[str, Any], acts: dict[str, Act], gigs: list[Gig], problems: Problems) -> list[Item]:
    """Return the listed Sesses, and one with the defaults for each Act that has a Gig and none."""
    listed = options.get("sesses") or []
    items = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    named = {str(item.get("act")) for item in items}
    booked = dict.fromkeys(gig.act for gig in gigs if gig.state == "present" and gig.act in acts)
    unlisted = {"sesses": [{"act": name} for name in booked if name not in named]}
    right = shapes.items(options, "sesses", "act", spec.sess(), problems)
    return right + shapes.items({**options, **unlisted}, "sesses", "act", spec.sess(), problems)


def _given(item: Mapping[str, Any]) -> Item:
    return {key: value for key, value in item.items() if value is not None}


def _acts(options: Mapping[str, Any], problems: Problems) -> dict[str, Act]:
    versions = _versions(options.get("versions") or {}, problems)
    if options.get("version") and not options.get("only"):
        problems.add("version", options["version"], "name the Acts that it is for (-e act=kittens)")
    acts: dict[str, Act] = {}
    items = shapes.items(options, "acts", "name", spec.act(), problems)
    for name, item in _by_name(items, "name", "acts", problems).items():
        where = f"backstage_acts[{name}]"
        problems.check(f"{where}.name", name, checks.act(name))
        version = versions.pop(name, None)
        if options.get("version") and name in (options.get("only") or []):
            version = options["version"]
        acts[name] = _act(item, where, version, problems)
    listed = _names(options, "acts")
    for name in versions:
        if listed is not None and name not in listed:
            problems.add(f"backstage_versions.{name}", None, one_of("no Act of this Production", dict.fromkeys(listed)))
    return acts


def _versions(given: Any, problems: Problems) -> dict[str, str]:
    if not isinstance(given, Mapping):
        problems.add("backstage_versions", given, "is no dictionary; write 'act: version' pairs")
        return {}
    for name, version in given.items():
        if not isinstance(version, str):
            problems.add(f"backstage_versions.{name}", version, "is no text in YAML; write it in quotes")
    return {str(name): version for name, version in given.items() if isinstance(version, str)}


def _act(item: Item, where: str, version: Optional[str], problems: Problems) -> Act:
    given = _given(item)
    raw = given.pop("source", None)
    source = sources.parse(raw, f"{where}.source", version, problems)
    if raw is None and given.get("state") != "absent":
        problems.add(f"{where}.source", None, f"is missing; give one of {', '.join(sources.KINDS)}")
    if source and source.kind == "package":
        given.setdefault("manage", "-m django")  # its code is an empty directory
    files = [_file(file, f"{where}.files", problems) for file in given.pop("files", [])]
    seeds = [_seed(seed, f"{where}.seed", problems) for seed in given.pop("seed", [])]
    workers = [Worker(**_given(worker)) for worker in given.pop("workers", [])]
    timers = [Timer(**_given(timer)) for timer in given.pop("timers", [])]
    hooks = Hooks(**_given(given.pop("hooks", {})))
    health = _given(given.pop("health", {}))
    if "status" in health:
        health["status"] = tuple(health["status"])
    for key in ("env", "secrets"):
        if key in given:
            given[key] = _variables(given[key], f"{where}.{key}", problems, key == "secrets")
    index = Index(**_given(given.pop("index", {})))
    urls = [StaticUrl(**item) for item in given.pop("static_urls", [])]
    database = given.pop("database", None)
    engine = (database or {}).get("engine") or ""
    if database is not None and not engine:
        problems.add(f"{where}.database.engine", None, "is missing; use postgresql or sqlite, or leave database out")
    return Act(
        source=source,
        index=index,
        files=files,
        database=engine,
        static_urls=urls,
        seed=seeds,
        workers=workers,
        timers=timers,
        health=Health(**health),
        hooks=hooks,
        **given,
    )


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


def _sess(item: Item) -> Sess:
    given = _given(item)
    return Sess(limits=Limits(**_given(given.pop("limits", {}))), **given)


def _venue(item: Item) -> Venue:
    given = _given(item)
    tls = _given(given.pop("tls", {}))
    rate, proxies = Rate(**_given(given.pop("rate", {}))), Proxies(**_given(given.pop("proxies", {})))
    auth = Auth(**_given(given.pop("auth", {})))
    was = given.get("was") or ""
    if was and was not in given.get("aliases", []):
        given["aliases"] = [*given.get("aliases", []), was]  # visitors who know the old name are led to the new one
    for key in {"certificate", "key"} & tls.keys():
        tls[key] = _pem(tls[key])
    return Venue(tls=Tls(**tls), auth=auth, rate=rate, proxies=proxies, **given)


def _gig(item: Item) -> Gig:
    given = _given(item)
    return Gig(when=tuple(given.pop("when", ())), **given)


def _acme(options: Mapping[str, Any], problems: Problems) -> Optional[Acme]:
    """Return the authority; None if a module for one noun gets none."""
    given = options.get("acme")
    if given is None:
        return None
    own = Problems()
    values.check_value(given, {"type": "dict", "options": spec.acme()}, "backstage_acme", own)
    problems.take(own)
    if own.lines:
        return None
    found = values.typed(given, spec.acme())
    for key in {"ca", "account_key", "tsig_key"} & found.keys():
        found[key] = _pem(found[key])
    acme = Acme(**{key: value for key, value in found.items() if value})
    venue_checks.check_acme(acme, problems)
    return acme


def _pem(text: str) -> str:
    """Return a PEM text that ends in a line feed. In YAML, people lose it or add it easily."""
    return text.strip() + "\n" if text.strip() else ""
