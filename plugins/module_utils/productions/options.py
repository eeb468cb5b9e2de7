# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn a module's options into an order for the Production manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..host.errors import Refusal
from ..manifest import calendar, checks, spec, stage_kinds
from ..manifest import parse as manifest
from ..manifest.jobs import Hooks
from ..manifest.nouns import ASLEEP, Act, Manifest, Sess
from . import disk
from .order import Order

Options = Mapping[str, Any]


def for_production(options: Options) -> Order:
    """Return the order of backstage_production, whose manifest is complete.

    Raises:
        Refusal: the options are invalid.
    """
    wanted = manifest.parse(options)
    # in a whole manifest, an Act without secrets has none
    acts = {name: act if act.secrets is not None else replace(act, secrets={}) for name, act in wanted.acts.items()}
    wanted = replace(wanted, acts=acts)
    strike = options["state"] == "absent"
    here = set(wanted.acts) - set(options["elsewhere"])
    if options["only"]:
        wanted = wanted.only(here & set(options["only"]))
    elif options["elsewhere"]:
        wanted = wanted.only(here)
    wanted = replace(wanted, acts={**wanted.acts, **_following(options["following"], wanted)})
    verb, act = _verb(options, wanted)
    if options["prune"] and options["only"]:
        raise Refusal("prune: it needs the whole manifest; leave 'only' out")
    return Order(
        manifest=Manifest(wanted.production) if strike else wanted,
        resolved=options["resolved"],
        shipped=options["shipped"],
        unavailable=options["unavailable"],
        through=options["through"],
        verb=verb,
        act=act,
        release=options["release"] or "",
        leaving=options["leaving"] or "",
        keep_migrations=options["migrations"] == "keep",
        unhold=set(options["unhold"]),
        seeds=options["seeds"],
        whole=not options["only"],
        prune=options["prune"] or strike,
        delete_data=set(options["delete_data"]),
        strike=strike,
        shared=set(options["shared"]),
        dns_follows=options["dns_follows"],
        lock_timeout=options["lock_timeout"],
    )


def _following(names: Sequence[str], wanted: Manifest) -> dict[str, Act]:
    """Return the Acts that another host leads, without what runs once for all hosts of an Act."""
    return {
        name: replace(
            act,
            seed=[],
            fixtures=[],
            timers=[],
            hooks=Hooks(after_switch=act.hooks.after_switch),
            workers=[worker for worker in act.workers if not worker.once],
        )
        for name, act in wanted.acts.items()
        if name in names
    }


def _verb(options: Options, wanted: Manifest) -> tuple[str, str]:
    """What is asked for one Act, and which; empty for a whole run."""
    given = [verb for verb in spec.VERBS if options[verb]]
    if len(given) > 1:
        raise Refusal(f"{given[1]}: it can't be done together with {given[0]}; leave one of them out")
    for verb in given:
        if options[verb] not in wanted.acts:
            raise Refusal(f"{verb}: '{options[verb]}' is no Act of this Production on this host")
        if options["release"] and verb not in ("rollback", "restore"):
            said = "it is what a rollback or a restore goes back to"
            raise Refusal(f"release: it can't be given with {verb}; {said}")
        return verb, options[verb]
    return "", ""


def for_act(options: Options) -> Order:
    """Return the order of backstage_act: build and migrate. Options that were not given are read from disk."""
    known, name = disk.options(options["production"]), options["name"]
    booked = sorted(venue for (venue, _path, _act), gig in known["gigs"].items() if gig["act"] == name)
    if options["state"] == "absent" and booked:
        raise Refusal(f"act {name}: it is booked at {', '.join(booked)}; cancel the Gig first (backstage_gig)")
    known["acts"][name] = _laid_over(known["acts"].get(name, {}), options, spec.act())
    if options["state"] == "absent":
        known["sesses"].pop(name, None)
    elif options["stage"] or options["worker_class"]:  # what will play it; its release is built for that
        before = known["sesses"].get(name, {"act": name})
        known["sesses"][name] = _laid_over(_fitting(before, options), options, spec.server())
    return _order(
        known,
        {name},
        options,
        resolved=options["resolved"],
        shipped=options["shipped"],
        unavailable=options["unavailable"],
        through="migrate",
        paths=_path(name, options, known),
        delete_data={name} if options["delete_data"] else set(),
    )


def _path(name: str, options: Options, known: dict[str, Any]) -> dict[str, str]:
    """Return the path at which the Act will be booked, because its release is built for it."""
    path = options.get("path")
    if not path:
        return {}
    problem = checks.gig_path(path)
    if problem:
        raise Refusal(f"path: {path!r}: {problem}")
    for venue, booked, act in known["gigs"]:
        if act == name and booked != path:
            raise Refusal(f"act {name}: it is booked at {venue}{booked}; move the Gig first (backstage_gig)")
    return {name: path}


def for_sess(options: Options) -> Order:
    """Return the order of backstage_sess: play the built release."""
    known, name = disk.options(options["production"]), options["act"]
    if name not in known["acts"]:
        raise Refusal(f"act: '{name}' is not on this host; build it first (backstage_act)")
    before = known["sesses"].get(name, known["ports"].get(name, {}))
    known["sesses"][name] = _laid_over(_fitting(before, options), options, spec.sess())
    if options["port"] == 0:  # an omitted port stays
        del known["sesses"][name]["port"]
    if options["secrets"] is not None:
        known["acts"][name]["secrets"] = options["secrets"]
    return _order(known, {name}, options, build=False)


def _fitting(before: dict[str, Any], options: Options) -> dict[str, Any]:
    """Return a Sess without what another Stage kind, or another worker class, does not have."""
    found = dict(before)
    if options["stage"] and options["stage"] != before.get("stage"):
        found.pop("worker_class", None)
    stage = options["stage"] or before.get("stage", Sess.stage)
    if not stage_kinds.KINDS[stage].managers:
        found.pop("manager", None)
    if not stage_kinds.is_vassal(stage):
        found.pop("standby", None)
        if found.get("state") == ASLEEP:
            del found["state"], found["idle"]
    worker_class = options["worker_class"] or found.get("worker_class", "")
    if not stage_kinds.has_threads(stage, worker_class):
        found.pop("threads", None)
    return found


def for_venue(options: Options) -> Order:
    """Return the order of backstage_venue. A new alias reaches the Sess before nginx."""
    known, name = disk.options(options["production"]), options["name"]
    playing = {gig["act"] for gig in known["gigs"].values() if gig["venue"] == name}
    if options["state"] == "absent" and playing:
        raise Refusal(f"venue {name}: {', '.join(sorted(playing))} plays there; cancel the Gig first (backstage_gig)")
    known["venues"][name] = _laid_over(known["venues"].get(name, {}), options, spec.venue())
    return _order(known, playing, options, build=False, venue=name)


def for_gig(options: Options) -> Order:
    """Return the order of backstage_gig: book an Act that plays."""
    known, act, venue = disk.options(options["production"]), options["act"], options["venue"]
    present = options["state"] != "absent"
    if present and act not in known["sesses"]:
        raise Refusal(f"act: '{act}' does not play on this host; start its Sess first (backstage_sess)")
    if present and venue not in known["venues"]:
        raise Refusal(f"venue: '{venue}' is not on this host; add it first (backstage_venue)")
    booked = {path: gig for (name, path, _act), gig in known["gigs"].items() if (name, gig["act"]) == (venue, act)}
    path = options["path"] or next(iter(booked), "/")
    before: dict[str, Any] = {}
    for old in booked if present else []:
        before = known["gigs"].pop((venue, old, act))  # it moves, because an Act has one path
    replaced: set[str] = set()
    if present or path in booked:
        gig = _laid_over({**before, "path": path}, options, spec.gig())
        replaced = _replaced(known, gig) if present else set()
        known["gigs"][venue, path, act] = gig
    return _order(known, ({act} | replaced) & set(known["acts"]), options, build=False, venue=venue)


def _replaced(known: dict[str, Any], gig: dict[str, Any]) -> set[str]:
    """Take out the Gigs whose place and time another one gets; return their Acts."""
    beside = [key for key in known["gigs"] if key[:2] == (gig["venue"], gig["path"])]
    found = set()
    for key in beside:
        other = known["gigs"][key]
        pair = [(one["act"], one.get("when") or []) for one in (gig, other)]
        # the check of the manifest refuses times that can't be read
        is_readable = not any(calendar.fault(text) for _act, when in pair for text in when)
        if is_readable and calendar.clashes(calendar.bookings(pair)):
            found.add(known["gigs"].pop(key)["act"])
    return found


def _laid_over(before: dict[str, Any], options: Options, shape: spec.Spec) -> dict[str, Any]:
    """Return the options merged over those on disk. An omitted option keeps its value; [] and {} mean empty."""
    return {**before, **{key: options[key] for key in shape if options.get(key) is not None}}


def _order(known: dict[str, Any], acts: set[str], options: Options, venue: str = "", **more: Any) -> Order:
    lists = {key: list(known[key].values()) for key in ("acts", "sesses", "venues", "gigs")}
    whole = manifest.parse({**known, **lists})
    wanted = whole.only(acts)
    if venue in whole.venues:
        wanted.venues[venue] = whole.venues[venue]
    sesses = {name: sess for name, sess in wanted.sesses.items() if name in known["sesses"]}
    return Order(manifest=replace(wanted, sesses=sesses), lock_timeout=options["lock_timeout"], **more)
