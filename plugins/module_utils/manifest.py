# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options of a module or the variables of an inventory to a checked Manifest.

Everything wrong is found at once, before any host is touched; each line names the key, the value
and what would be right.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from . import checks, spec
from .errors import Refusal
from .nouns import Act, File, Gig, Health, Manifest, Seed, Sess, Source, Venue

Item = Dict[str, Any]

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
SOURCE_KINDS = ("git", "path")


class Problems:
    """Collects what is wrong, so that one run names it all."""

    def __init__(self) -> None:
        self.lines: List[str] = []

    def add(self, where: str, value: Any, what: str) -> None:
        shown = f" {value!r}:" if value is not None else ""
        self.lines.append(f"{where}:{shown} {what}")

    def check(self, where: str, value: Any, what: Optional[str], secret: bool = False) -> None:
        if what:
            self.add(where, None if secret else value, what)

    def refuse(self) -> None:
        if self.lines:
            raise Refusal("\n".join(self.lines))


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
            manifest.sesses[name] = Sess(**{**default, "act": name})
    check(manifest, options, problems)
    problems.refuse()
    return manifest


def check(manifest: Manifest, options: Mapping[str, Any], problems: Problems) -> None:
    """Check what no noun can tell alone."""
    for act in manifest.acts.values():
        _check_act(act, f"backstage_acts[{act.name}]", options.get("longest_request") or 300, problems)
        _check_secrets(act, manifest, problems)
    _check_sesses(manifest, problems)
    _check_venues(manifest, problems)
    _check_gigs(manifest, problems)
    for key in ("only", "unhold"):
        for name in options.get(key) or []:
            if name not in manifest.acts:
                problems.add(key, name, _one_of("no Act of this Production", manifest.acts))


def _nouns(
    options: Mapping[str, Any], key: str, name: str, shape: spec.Spec, problems: Problems, unique: bool = True
) -> List[Item]:
    """The items of one list, laid over their defaults and checked by their spec."""
    validator = ArgumentSpecValidator(shape)
    defaults = _given(options.get({"acts": "act_defaults", "sesses": "sess_defaults"}.get(key, ""), {}) or {})
    found: Dict[str, Item] = {}
    items: List[Item] = []
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
        merged[key] = {**old, **_given(value)} if mergeable else value
    return merged


def _given(item: Mapping[str, Any]) -> Item:
    return {key: value for key, value in item.items() if value is not None}


def _acts(options: Mapping[str, Any], problems: Problems) -> Dict[str, Act]:
    versions = dict(options.get("versions") or {})
    acts: Dict[str, Act] = {}
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
        problems.add(f"backstage_versions.{name}", None, _one_of("no Act of this Production", acts))
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
        problems.check(f"{where}.subdir", subdir, checks.inner_path(subdir))
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


def _variables(values: Mapping[str, Any], where: str, problems: Problems, secret: bool) -> Dict[str, str]:
    for name, value in values.items():
        problems.check(f"{where}.{name}", value, checks.variable(str(name), value), secret)
    return {str(name): str(value) for name, value in values.items()}


def _venue(item: Item) -> Venue:
    given = _given(item)
    tls = _given(given.pop("tls", {}))
    return Venue(tls=tls.get("mode", "none"), **given)


def _check_act(act: Act, where: str, longest_request: int, problems: Problems) -> None:
    each: Dict[str, Callable[[str], Optional[str]]] = {
        "requirements": checks.inner_path,
        "writable": lambda path: checks.inner_path(path, directory=True),
        "fixtures": checks.inner_path,
        "build": checks.command_line,
        "after_static": checks.command_line,
        "packages": lambda name: None if checks.names.PACKAGE.match(name) else "no Debian package has such a name",
    }
    for key, rule in each.items():
        for value in getattr(act, key) or []:
            problems.check(f"{where}.{key}", value, rule(value))
    if act.chdir != ".":
        problems.check(f"{where}.chdir", act.chdir, checks.inner_path(act.chdir))
    problems.check(f"{where}.manage", act.manage, checks.manage(act.manage))
    if act.settings and not checks.names.DOTTED.match(act.settings):
        problems.add(f"{where}.settings", act.settings, "use a dotted module, such as 'kittens.settings'")
    if act.application:
        if not checks.names.CALLABLE.match(act.application):
            problems.add(f"{where}.application", act.application, "use 'module:callable', such as 'kittens.wsgi:application'")
        elif act.application.split(":")[0].endswith("asgi"):
            problems.add(f"{where}.application", act.application, "an ASGI callable is not built yet; name the WSGI one")
    problems.check(f"{where}.health.path", act.health.path, checks.url_path(act.health.path))
    if act.health.host:
        problems.check(f"{where}.health.host", act.health.host, checks.host_name(act.health.host))
    problems.check(f"{where}.health.timeout", act.health.timeout, checks.between(act.health.timeout, 1, 3600))
    problems.check(f"{where}.keep_releases", act.keep_releases, checks.between(act.keep_releases, 1, 100))
    problems.check(f"{where}.timeout", act.timeout, checks.between(act.timeout, 1, 86400))
    if act.timeout > longest_request:
        problems.add(
            f"{where}.timeout",
            act.timeout,
            f"is longer than the stage's longest request ({longest_request} s);"
            f" use at most that, or raise stage_longest_request",
        )
    twice = sorted(set(act.env) & set(act.secrets or {}))
    for name in twice:
        problems.add(f"{where}.env.{name}", None, "stands in secrets, too; keep one")


def _check_secrets(act: Act, manifest: Manifest, problems: Problems) -> None:
    taken = [manifest.production, *manifest.acts, *manifest.venues]
    where = f"backstage_acts[{act.name}]"
    for name, value in (act.secrets or {}).items():
        problems.check(f"{where}.secrets.{name}", None, checks.secret(value, taken), secret=True)
    for seed in act.seed:
        for name, value in seed.secrets.items():
            problems.check(f"{where}.seed[{seed.name}].secrets.{name}", None, checks.secret(value, taken), secret=True)
    seeds = [seed.name for seed in act.seed]
    for name in sorted({name for name in seeds if seeds.count(name) > 1}):
        problems.add(f"{where}.seed[{name}]", None, "stands in the list twice; a seed runs once, by its name")


def _check_sesses(manifest: Manifest, problems: Problems) -> None:
    for name, sess in manifest.sesses.items():
        where = f"backstage_sesses[{name}]"
        act = manifest.acts.get(name)
        if act is None:
            problems.add(f"{where}.act", name, _one_of("no Act of this Production", manifest.acts))
            continue
        problems.check(f"{where}.processes", sess.processes, checks.between(sess.processes, 1, 256))
        problems.check(f"{where}.threads", sess.threads, checks.between(sess.threads, 1, 256))
        if act.state == "absent" and sess.state != "absent":
            problems.add(f"{where}.state", sess.state, "its Act is absent; make the Sess absent, too, or leave it out")
        if sess.state == "absent" and manifest.gigs_of(name):
            problems.add(f"{where}.state", sess.state, "a Gig needs its Sess; stop it, or cancel the Gig first")


def _check_venues(manifest: Manifest, problems: Problems) -> None:
    owners: Dict[str, str] = {}
    for venue in manifest.venues.values():
        where = f"backstage_venues[{venue.name}]"
        for name in venue.names:
            problems.check(where, name, checks.host_name(name))
            if name in owners:
                problems.add(where, name, f"is a name of Venue '{owners[name]}' already; a name belongs to one Venue")
            owners[name] = venue.name


def _check_gigs(manifest: Manifest, problems: Problems) -> None:
    places: Dict[str, str] = {}
    for gig in manifest.gigs:
        where = f"backstage_gigs[{gig.act} at {gig.venue}]"
        act, venue = manifest.acts.get(gig.act), manifest.venues.get(gig.venue)
        if gig.path != "/":
            problems.add(f"{where}.path", gig.path, "a Gig below a path is not built yet; use '/'")
        if gig.state == "absent":
            continue
        if act is None:
            problems.add(f"{where}.act", gig.act, _one_of("no Act of this Production", manifest.acts))
        elif act.state == "absent":
            problems.add(f"{where}.act", gig.act, "this Act is absent; cancel the Gig, too (state: absent)")
        if venue is None:
            problems.add(f"{where}.venue", gig.venue, _one_of("no Venue of this Production", manifest.venues))
        elif venue.state == "absent":
            problems.add(f"{where}.venue", gig.venue, "this Venue is absent; cancel the Gig, too (state: absent)")
        place = gig.venue + gig.path
        if place in places:
            problems.add(where, None, f"'{places[place]}' plays at {place} already; a place has one Gig")
        places[place] = gig.act


def _one_of(what: str, known: Mapping[str, Any]) -> str:
    return f"{what}; known: {', '.join(sorted(known)) or 'none'}"
