# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find drift of a Production on its host, for status. Nothing here changes anything."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Optional

from ..acts import digests, drift
from ..acts.drift import SITE, Drift
from ..bookings import nginx, server_block
from ..bookings.manager import Bookings
from ..host import files, records, vassals
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import ENVIRONMENT_SEAL, SEAL
from ..manifest.jobs import Timer, Worker
from ..manifest.nouns import Limits, Manifest
from ..stages import kinds
from ..stages.crew import Crew
from ..stages.interface import Part
from ..stages.timers import Timers
from ..state.read import ActState, HostState

HOST = "the host"
RECORDS = "/etc/backstage"
"""The directory in which the roles record what they wrote, in ROLE.files."""
_LATEST = dt.timedelta(minutes=2)
"""How long after its time an Act may come on: the program that does it starts every minute."""
REFRESH = "give the Act another 'refresh' and deploy, which builds it anew"


def inspect(state: HostState, host: Host, whole: bool = False) -> list[Drift]:
    """Return everything that differs from what Backstage made.

    Args:
        state: the Production on this host.
        host: the host's facts.
        whole: whether to compare every sealed release and environment with its record; else only what changed since.
    """
    found = [*_host_files(), *_foreign_vassals(host)]
    found += [one for one, _account in drift.of_accounts(HOST, _shared(state))]
    for act in state.acts.values():
        if act.record:
            found += drift.of_act(act)
        if act.live:
            found += [*_of_sess(act, host), *_of_timers(act, host)]
    found += _server_blocks(state, host)
    return list(dict.fromkeys([*found, *_sealed(state, whole)]))


def _shared(state: HostState) -> list[drift.Account]:
    account = drift.shared(state.paths)
    return [account] if os.path.isdir(state.paths.cache) else []


def _host_files() -> Iterator[Drift]:
    for record in files.names_in(RECORDS):
        paths = records.lines(os.path.join(RECORDS, record)) if record.endswith(".files") else []
        for path, wanted in paths:
            found = records.describe(path, wanted.rpartition(" ")[2])
            if found != wanted:
                yield Drift(HOST, path, *_told(found, wanted), SITE)


def _told(found: str, wanted: str) -> tuple[str, str]:
    """Return how a role's path is, and how it should be, without contents."""
    (*before, content), (*after, expected) = found.split(" "), wanted.split(" ")
    if before and content != expected:
        return "changed by hand", ""
    return (" ".join(before), " ".join(after)) if before else (found, "")


def _foreign_vassals(host: Host) -> Iterator[Drift]:
    for path in vassals.foreign(host.vassals):
        yield Drift(
            HOST, path, "a vassal that is not Backstage's", cure="move it elsewhere: nothing is deployed beside it"
        )


def _of_sess(act: ActState, host: Host) -> Iterator[Drift]:
    """Yield drift of the live Sess: whether it should play, and what it was started with."""
    subject, paths = f"act {act.paths.name}", act.paths.sess(act.live or "")
    live, stage = act.live or "", kinds.of_sess(act.live_record, host, act.paths)
    for path in stage.links(live):
        if files.link_target(path) is None:
            yield Drift(subject, path, f"missing, so {stage.runner} does not play it")
    release = act.releases.get(act.live_release or "")
    if release is None:
        yield Drift(subject, act.paths.live, "what plays has no sealed release")
        return
    part, crew = _part(act, release), Crew(host, act.paths, live)
    texts: dict[str, Optional[str]] = {**crew.texts(part), **stage.beside(part, live)}
    try:
        for name, file in stage.files(part, live).items():
            texts[os.path.join(paths.root, name)] = file.text if file else None
    except BackstageError:
        pass  # the player is missing, which is told of the Act's users
    for path, text in texts.items():
        if files.read(path) != text:
            yield Drift(subject, path, "changed by hand, or made by an earlier Backstage")
    for lack in crew.lacks():
        yield Drift(subject, crew.link, lack)
    digest = act.live_record.get("variables")
    if digest and digest != digests.of_variables(act.live_env):
        yield Drift(subject, paths.env, "a variable was changed by hand")


def _of_timers(act: ActState, host: Host) -> Iterator[Drift]:
    """Yield the timers whose files a hand has changed, or that systemd does not start."""
    own = Timers(act.paths, host)
    for item in act.record.get("act", {}).get("timers", []):
        timer = Timer(**item)
        if timer.name in own.known() and not own.is_as(timer):
            where = f"timer {timer.name}"
            yield Drift(f"act {act.paths.name}", where, "changed by hand, or made by an earlier Backstage")


def _part(act: ActState, release: dict[str, str]) -> Part:
    """Return what the live Sess plays, from its record. Its variables are not in the files of its Stage."""
    project = os.path.normpath(os.path.join(act.paths.release(release["release"]).code, release["project"]))
    environment = act.paths.production.environment(release["environment"])
    counted = {key: act.live_record.get(key, 0) for key in ("processes", "threads", "timeout")}
    workers = tuple(Worker(**worker) for worker in act.live_record.get("workers") or [])
    part = Part(release["release"], project, environment, {}, frozenset(), **counted)
    limits, stage = Limits(**act.live_record.get("limits") or {}), act.live_record.get("stage", Part.stage)
    worker_class = act.live_record.get("worker_class", "")
    manager = act.live_record.get("manager", "")
    part = replace(part, limits=limits, stage=stage, worker_class=worker_class, manager=manager)
    return replace(part, manage=release["manage"], workers=workers, idle=act.live_record.get("idle") or 0)


def _server_blocks(state: HostState, host: Host) -> Iterator[Drift]:
    """Yield files of Venues and ports that differ from their own data, and what nginx has not read."""
    if not host.has_front_of_house:
        return
    now = dt.datetime.now(dt.timezone.utc)
    steps = [change.step for change in Bookings(Manifest(state.paths.name), state, host, now=now).plan()]
    for step in steps:
        if step.verb == "show" and _was_late(step.name, state, host, now):
            yield Drift(f"venue {step.name}", step.before, "is on", f"{step.after}, as its times say")
        if step.verb == "start timer":
            yield Drift(HOST, step.after, "not started every minute, so that no Act comes or goes at its time")
        if step.verb == "rewrite":
            name = step.name if step.noun == "venue" else server_block.port_name(step.name)
            path = os.path.join(host.venues, server_block.file_name(state.paths.name, name))
            yield Drift(f"{step.noun} {step.name}", path, "changed by hand, or made by an earlier Backstage")
    if nginx.is_stale(host.venues):
        yield Drift(HOST, host.venues, "changed, and nginx has not read it")


def _was_late(venue: str, state: HostState, host: Host, now: dt.datetime) -> bool:
    """Return whether a Venue showed another Act than it should some time ago, too."""
    earlier = Bookings(Manifest(state.paths.name), state, host, now=now - _LATEST).plan()
    return any(change.step.verb == "show" and change.step.name == venue for change in earlier)


def _sealed(state: HostState, whole: bool) -> Iterator[Drift]:
    """Yield drift of the sealed releases and environments: those that play, or all."""
    trees: dict[str, tuple[str, str]] = {}
    for name, act in state.acts.items():
        for release, record in act.releases.items():
            if whole or release == act.live_release:
                trees[act.paths.release(release).root] = (f"act {name}", SEAL)
                key = state.paths.environment(record["environment"])
                trees.setdefault(key, (f"act {name}", ENVIRONMENT_SEAL))
    for tree, (subject, seal) in trees.items():
        found = digests.changed(tree, seal) if whole or digests.newer(tree, seal) else []
        if found is None and whole:
            yield Drift(subject, tree, "sealed by an earlier Backstage: not verified", cure=REFRESH)
        elif found is None:
            found = digests.newer(tree, seal, modes=False)  # a deploy repairs modes; they are not content
        if found:
            yield Drift(subject, tree, f"sealed, and changed since: {digests.named(found)}", cure=REFRESH)
