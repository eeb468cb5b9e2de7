# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that need more than one noun: names that clash, Gigs without a Venue, times that overlap."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Callable, Optional

from . import calendar, checks, database, venue_checks
from .jobs import Timer, Worker
from .nouns import ASLEEP, Act, Gig, Manifest, Sess, summary
from .problems import Problems, one_of
from .stage_kinds import FIRST, KINDS, has_threads

MOST_COMBINATIONS = 64
"""The most combinations of Acts at the paths of a Venue. Each needs a server block, and a deploy tests all of them."""
LONGEST_STANDBY = 1440
"""Minutes: a day."""
SHORTEST_IDLE, LONGEST_IDLE = 5, 604800
"""Seconds: a Sess is asked several times at its gate, and sleeps within a week."""


@dataclass(frozen=True)
class Listed:
    """The names in the manifest, also those of items with mistakes; None if not all names are known.

    A reference to an item with a mistake is not reported as another mistake.
    """

    acts: Optional[frozenset[str]]
    venues: Optional[frozenset[str]]

    def has_act(self, name: str) -> bool:
        return self.acts is None or name in self.acts

    def has_venue(self, name: str) -> bool:
        return self.venues is None or name in self.venues


def check(manifest: Manifest, options: Mapping[str, Any], listed: Listed, problems: Problems) -> None:
    """Check what needs more than one noun.

    Args:
        manifest: what is right by itself.
        options: the module's options.
        listed: what the manifest names.
        problems: takes what does not fit together.
    """
    taken = _words(manifest)
    for act in manifest.acts.values():
        if act.name not in manifest.sesses:
            _check_kind(Sess(act.name), act, "", problems)
        _check_act(act, f"backstage_acts[{act.name}]", options.get("longest_request") or 300, problems)
        _check_secrets(act, taken, problems)
    _check_renames(manifest, listed, problems)
    _check_sesses(manifest, listed, problems)
    _check_venues(manifest, problems)
    _check_gigs(manifest, listed, problems)
    seeds = {seed.name for act in manifest.acts.values() for seed in act.seed}
    seeds |= {f"fixture {path}" for act in manifest.acts.values() for path in act.fixtures}
    for name, answer in (options.get("seeds") or {}).items():
        if name not in seeds and listed.acts == set(manifest.acts):
            problems.add("backstage_seed", name, one_of("no seed of this Production", dict.fromkeys(seeds)))
        if answer not in ("done", "again"):
            problems.add(f"backstage_seed.{name}", answer, "answer 'done' or 'again'")
    for key in ("only", "unhold"):
        for name in options.get(key) or []:
            if not listed.has_act(name):
                problems.add(key, name, one_of("no Act of this Production", manifest.acts))


# what each value of an Act may be; an empty one is not asked
ACT_RULES: dict[str, Callable[[Any], Optional[str]]] = {
    "requirements": checks.inner_path,
    "settings": checks.module,
    "application": checks.application,
    "manage": checks.manage,
    "chdir": checks.directory,
    "writable": lambda path: checks.inner_path(path, directory=True),
    "packages": checks.package,
    "build": checks.command_line,
    "after_static": checks.command_line,
    "fixtures": checks.inner_path,
    "timeout": lambda value: checks.between(value, 1, 86400),
    "keep_releases": lambda value: checks.between(value, 1, 100),
}
INDEX_RULES: dict[str, Callable[[Any], Optional[str]]] = {
    "url": checks.index_url,
    "extra_urls": checks.index_url,
    "find_links": checks.find_links,
}
HEALTH_RULES: dict[str, Callable[[Any], Optional[str]]] = {
    "path": checks.url_path,
    "host": checks.host_name,
    "timeout": lambda value: checks.between(value, 1, 3600),
}


def _check_act(act: Act, where: str, longest_request: int, problems: Problems) -> None:
    for noun, rules, place in (
        (act, ACT_RULES, where),
        (act.index, INDEX_RULES, f"{where}.index"),
        (act.health, HEALTH_RULES, f"{where}.health"),
    ):
        for key, rule in rules.items():
            value = getattr(noun, key)
            for one in value if isinstance(value, list) else [] if value in (None, "") else [value]:
                problems.check(f"{place}.{key}", one, rule(one))
    if act.timeout > longest_request:
        problems.add(
            f"{where}.timeout",
            act.timeout,
            f"is longer than the stage's longest request ({longest_request} s);"
            f" use at most that, or raise stage_longest_request",
        )
    if bool(act.index.username) != bool(act.index.password):
        problems.add(
            f"{where}.index", None, "give username and password, or neither; with a token, any username will do"
        )
    _check_company(act, where, problems)
    _check_hooks(act, where, problems)
    _check_dump(act, where, problems)
    _check_static_urls(act, where, problems)
    _check_writable(act, where, problems)
    _check_database(act, where, problems)
    for name in sorted(set(act.env) & set(act.secrets or {})):
        problems.add(f"{where}.env.{name}", None, "stands in secrets, too; keep one")


def _check_database(act: Act, where: str, problems: Problems) -> None:
    braces = ["{" + name + "}" for name in database.PLACEHOLDERS]
    reading = [name for name, value in act.env.items() if any(brace in value for brace in braces)]
    if act.database and database.URL in {*act.env, *(act.secrets or {})} and database.URL not in reading:
        problems.add(f"{where}.database", None, "exports DATABASE_URL, which stands in env or secrets, too; keep one")
    for name in reading if not act.database else []:
        said = "names a placeholder of the Act's database, and the Act has no 'database': add one"
        problems.add(f"{where}.env.{name}", act.env[name], said)


def _check_company(act: Act, where: str, problems: Problems) -> None:
    """Check the workers and timers of an Act."""
    for key, items in (("workers", act.workers), ("timers", act.timers)):
        known = [item.name for item in items]
        for name in sorted({name for name in known if known.count(name) > 1}):
            cure = "use 'count' for more than one of it" if key == "workers" else "give each another name"
            problems.add(f"{where}.{key}[{name}]", None, f"stands in the list twice; {cure}")
        for item in items:
            _check_command(item, f"{where}.{key}[{item.name}]", problems)
    for worker in act.workers:
        place = f"{where}.workers[{worker.name}]"
        problems.check(f"{place}.grace", worker.grace, checks.between(worker.grace, 1, 86400))
        problems.check(f"{place}.count", worker.count, checks.between(worker.count, 1, 64))
        if worker.once and worker.count > 1:
            problems.add(f"{place}.count", worker.count, "one that runs once has no second one; leave 'count' out")
    for timer in act.timers:
        place = f"{where}.timers[{timer.name}]"
        if bool(timer.at) == bool(timer.every):
            problems.add(place, None, "give either 'at', a time of day, or 'every'")
        if timer.at:
            problems.check(f"{place}.at", timer.at, checks.time_of_day(timer.at))


def _check_command(item: Worker | Timer, place: str, problems: Problems) -> None:
    problems.check(f"{place}.name", item.name, checks.act(item.name))
    if bool(item.run) == bool(item.manage):
        said = "give either 'run', a program of the environment, or 'manage', a management command"
        problems.add(place, None, said)
    for key, rule in (("run", checks.worker_program), ("manage", checks.command_line)):
        if getattr(item, key):
            problems.check(f"{place}.{key}", getattr(item, key), rule(getattr(item, key)))


def _check_hooks(act: Act, where: str, problems: Problems) -> None:
    for when, lines in summary(act.hooks).items():
        for line in lines:
            problems.check(f"{where}.hooks.{when}", line, checks.command_line(line))
        if lines and when != "after_switch" and not act.migrate:
            problems.add(f"{where}.hooks.{when}", None, "its Act runs no migrations (migrate: false); leave it out")


def _check_renames(manifest: Manifest, listed: Listed, problems: Problems) -> None:
    """Check the old names of Acts and Venues: nothing else may have them."""
    owners: dict[str, str] = {}
    for act in (act for act in manifest.acts.values() if act.was):
        where = f"backstage_acts[{act.name}].was"
        problems.check(where, act.was, checks.act(act.was))
        if act.was in manifest.acts or act.was in (listed.acts or ()):
            problems.add(where, act.was, "is an Act of the manifest; an old name is nobody's, so remove one of the two")
        if act.was in owners:
            problems.add(where, act.was, f"is the old name of '{owners[act.was]}', too; keep one")
        owners[act.was] = act.name
    for venue in (venue for venue in manifest.venues.values() if venue.was):
        if venue.was in manifest.venues or venue.was in (listed.venues or ()):
            said = "is a Venue of the manifest; an old name is nobody's, so remove one of the two"
            problems.add(f"backstage_venues[{venue.name}].was", venue.was, said)


def _check_dump(act: Act, where: str, problems: Problems) -> None:
    if act.dump and not act.migrate:
        said = "a dump is made before migrations, and its Act runs none (migrate: false); leave it out"
        problems.add(f"{where}.dump", None, said)


def _check_static_urls(act: Act, where: str, problems: Problems) -> None:
    for number, item in enumerate(act.static_urls):
        place = f"{where}.static_urls[{item.url}]"
        problems.check(f"{place}.url", item.url, checks.url_prefix(item.url))
        problems.check(f"{place}.root", item.root, checks.inner_path(item.root))
        for other in act.static_urls[:number]:
            if other.url == item.url:
                problems.add(f"{place}.url", item.url, "stands in the list twice; keep one")
            if _overlap(item.root, other.root):
                problems.add(
                    f"{place}.root", item.root, f"lies in the root of {other.url}, or around it; keep them apart"
                )
        for path in act.writable:
            if _overlap(item.root, path.rstrip("/")):
                problems.add(f"{place}.root", item.root, f"is sealed, and '{path}' in writable is not; keep them apart")


def _check_writable(act: Act, where: str, problems: Problems) -> None:
    for number, path in enumerate(act.writable):
        for other in act.writable[:number]:
            if _overlap(path.rstrip("/"), other.rstrip("/")):
                said = f"lies in '{other}', or around it, which is writable already; keep one"
                problems.add(f"{where}.writable", path, said)


def _overlap(one: str, other: str) -> bool:
    """Return whether one path is inside the other one, or the same."""
    return (one + "/").startswith(other + "/") or (other + "/").startswith(one + "/")


def _words(manifest: Manifest) -> frozenset[str]:
    """Return the names in a manifest: none of them may be a secret's value, which is masked wherever it occurs."""
    found = {manifest.production, *manifest.acts}
    for venue in manifest.venues.values():
        found.update(venue.names)
    for act in manifest.acts.values():
        found.update(act.env, act.secrets or {})
        for seed in act.seed:
            found.update((seed.name, *seed.secrets))
        found.update(worker.name for worker in act.workers)
        found.update(timer.name for timer in act.timers)
    return frozenset(found)


def _check_secrets(act: Act, taken: Container[str], problems: Problems) -> None:
    where = f"backstage_acts[{act.name}]"
    for name, value in (act.secrets or {}).items():
        problems.check(f"{where}.secrets.{name}", None, checks.secret(value, taken), secret=True)
    for seed in act.seed:
        for name, value in seed.secrets.items():
            problems.check(f"{where}.seed[{seed.name}].secrets.{name}", None, checks.secret(value, taken), secret=True)
    seeds = [seed.name for seed in act.seed]
    for name in sorted({name for name in seeds if seeds.count(name) > 1}):
        problems.add(f"{where}.seed[{name}]", None, "stands in the list twice; a seed runs once, by its name")


def _check_sesses(manifest: Manifest, listed: Listed, problems: Problems) -> None:
    ports: dict[int, str] = {}
    for name, sess in manifest.sesses.items():
        where = f"backstage_sesses[{name}]"
        act = manifest.acts.get(name)
        if not listed.has_act(name):
            problems.add(f"{where}.act", name, one_of("no Act of this Production", manifest.acts))
        problems.check(f"{where}.processes", sess.processes, checks.between(sess.processes, 1, 256))
        problems.check(f"{where}.threads", sess.threads, checks.between(sess.threads, 1, 256))
        problems.check(f"{where}.idle", sess.idle, checks.between(sess.idle, SHORTEST_IDLE, LONGEST_IDLE))
        problems.check(f"{where}.standby", sess.standby, checks.between(sess.standby, 0, LONGEST_STANDBY))
        if sess.state == ASLEEP and act and act.workers:
            said = "its Act has workers, which never sleep; use started, or leave the workers out"
            problems.add(f"{where}.state", sess.state, said)
        _check_kind(sess, act, where, problems)
        _check_limits(sess, f"{where}.limits", problems)
        if sess.port is not None:
            problems.check(f"{where}.port", sess.port, checks.between(sess.port, 1024, 65535))
            if sess.port in ports:
                owner = ports[sess.port]
                problems.add(f"{where}.port", sess.port, f"is the port of '{owner}', too; choose another one")
            ports[sess.port] = name
        if act and act.state == "absent" and sess.state != "absent":
            problems.add(f"{where}.state", sess.state, "its Act is absent; make the Sess absent, too, or leave it out")
        if sess.state == "absent" and manifest.gigs_of(name):
            problems.add(f"{where}.state", sess.state, "a Gig needs its Sess; stop it, or cancel the Gig first")


def _check_kind(sess: Sess, act: Optional[Act], where: str, problems: Problems) -> None:
    """Check what the Stage kind does not have, and what would change its server."""
    kind = KINDS[sess.stage]
    if sess.worker_class not in ("", *kind.worker_classes):
        problems.add(f"{where}.worker_class", sess.worker_class, f"stage '{sess.stage}' has none; leave it out")
        return
    if sess.manager not in ("", *kind.managers):
        problems.add(f"{where}.manager", sess.manager, f"stage '{sess.stage}' has its own; leave it out")
    if sess.state == ASLEEP and not kind.is_vassal:
        said = f"a Sess of stage '{sess.stage}' never sleeps, because no emperor starts it at a request"
        problems.add(f"{where}.state", sess.state, f"{said}; use started, or stage {FIRST}")
    if sess.standby and not kind.is_vassal:
        said = f"a Sess of stage '{sess.stage}' does not stand by, because no emperor ends it in time"
        problems.add(f"{where}.standby", sess.standby, f"{said}; use 0, or stage {FIRST}")
    if sess.threads > 1 and not has_threads(sess.stage, sess.worker_class):
        named = f"worker class '{sess.worker_class}'" if sess.worker_class else f"stage '{sess.stage}'"
        problems.add(f"{where}.threads", sess.threads, f"a worker of {named} has no threads; leave it out")
    if act is None:
        return
    own = f"backstage_acts[{act.name}]"
    if act.application:
        problems.check(f"{own}.application", act.application, checks.application_of(kind.interface, act.application))
    for key, values in (("env", act.env), ("secrets", act.secrets or {})):
        for name in values:
            problems.check(f"{own}.{key}.{name}", None, checks.reserved(name, kind.reserved))


def _check_limits(sess: Sess, where: str, problems: Problems) -> None:
    rules: dict[str, Callable[[Any], Optional[str]]] = {
        "memory": checks.limit_of_memory,
        "cpu": checks.limit_of_cpu,
        "tasks": lambda value: checks.limit_of_tasks(value, sess.processes, sess.threads),
    }
    for key, value in sess.limits.given().items():
        problems.check(f"{where}.{key}", value, rules[key](value))


def _check_venues(manifest: Manifest, problems: Problems) -> None:
    owners: dict[str, str] = {}
    for venue in manifest.venues.values():
        where = f"backstage_venues[{venue.name}]"
        for name in venue.names:
            problems.check(where, name, checks.host_name(name))
            if name in owners:
                problems.add(where, name, f"is a name of Venue '{owners[name]}' already; a name belongs to one Venue")
            owners[name] = venue.name
        venue_checks.check(venue, where, problems)


def _check_gigs(manifest: Manifest, listed: Listed, problems: Problems) -> None:
    venues: dict[str, dict[str, list[Gig]]] = {}
    paths: dict[str, str] = {}
    for gig in manifest.gigs:
        where = f"backstage_gigs[{gig.act} at {gig.venue}]"
        act, venue = manifest.acts.get(gig.act), manifest.venues.get(gig.venue)
        problems.check(f"{where}.path", gig.path, checks.gig_path(gig.path))
        if gig.state == "absent":
            continue
        if paths.setdefault(gig.act, gig.path) != gig.path:
            known = paths[gig.act]
            problems.add(f"{where}.path", gig.path, f"this Act plays at '{known}' elsewhere; an Act has one path")
        if not listed.has_act(gig.act):
            problems.add(f"{where}.act", gig.act, one_of("no Act of this Production", manifest.acts))
        elif act and act.state == "absent":
            problems.add(f"{where}.act", gig.act, "this Act is absent; cancel the Gig, too (state: absent)")
        if not listed.has_venue(gig.venue):
            problems.add(f"{where}.venue", gig.venue, one_of("no Venue of this Production", manifest.venues))
        elif venue and venue.state == "absent":
            problems.add(f"{where}.venue", gig.venue, "this Venue is absent; cancel the Gig, too (state: absent)")
        if _has_windows(gig, where, problems):
            venues.setdefault(gig.venue, {}).setdefault(gig.path, []).append(gig)
    _check_times(venues, problems)


def _check_times(venues: Mapping[str, Mapping[str, list[Gig]]], problems: Problems) -> None:
    """Check the Gigs of each Venue, by their paths."""
    for name, places in venues.items():
        for path, gigs in places.items():
            _check_place(name + path, gigs, problems)
        combinations = prod(calendar.combinations((gig.act, gig.when) for gig in gigs) for gigs in places.values())
        if combinations > MOST_COMBINATIONS:
            said = f"its Gigs have times at {len(places)} paths, and {combinations} combinations of Acts can be on"
            problems.add(f"backstage_venues[{name}]", None, f"{said}; use at most {MOST_COMBINATIONS}")


def _has_windows(gig: Gig, where: str, problems: Problems) -> bool:
    """Check the times of a Gig."""
    faults = {text: calendar.fault(text) for text in gig.when}
    for text, fault in faults.items():
        problems.check(f"{where}.when", text, fault)
    return not any(faults.values())


def _check_place(place: str, gigs: list[Gig], problems: Problems) -> None:
    """Check that at most one Act is on at a time."""
    known = [gig.act for gig in gigs]
    for name in sorted({name for name in known if known.count(name) > 1}):
        said = f"'{name}' plays at {place} already; write all of its times into one 'when'"
        problems.add(f"backstage_gigs[{name} at {gigs[0].venue}]", None, said)
    for clash in calendar.clashes(calendar.bookings((gig.act, gig.when) for gig in gigs)):
        where = f"backstage_gigs[{clash.other} at {gigs[0].venue}]"
        then = f"then, too (first: {clash.moment})" if clash.moment else "already"
        cure = "another path or other times" if clash.moment else "another path, or times of its own ('when')"
        problems.add(where, None, f"'{clash.act}' plays at {place} {then}; give one of them {cure}")
