# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest that corresponds to a host's disk, so that a module for one noun need not get the others."""

from __future__ import annotations

from typing import Any

from ..bookings import passwords, written
from ..bookings.blocks import with_tls
from ..certificates import wishes
from ..certificates.pairs import FILES, Pairs
from ..host.facts import Host
from ..manifest.nouns import ASLEEP
from ..state.read import ActState, read

Item = dict[str, Any]


def options(production: str) -> dict[str, Any]:
    """Return everything of a Production on this host in the form of a manifest, without the secrets of Acts."""
    host = Host.read()
    state = read(production, host)
    venues, listening = written.booked(production, host)
    blocks = venues.values()
    ports = {act: {"port": data["port"]} for act, data in listening.items()}
    return {
        "production": production,
        "acts": {name: _act(act.record["act"]) for name, act in state.acts.items() if act.record},
        "sesses": {name: {**_sess(name, act), **ports.get(name, {})} for name, act in state.acts.items() if act.live},
        "ports": ports,  # also the ports of Acts that do not play
        "venues": {data["name"]: _venue(data, production, host) for data in blocks},
        "gigs": {(data["name"], gig["path"], gig["act"]): _gig(data, gig) for data in blocks for gig in data["gigs"]},
        "longest_request": host.longest_request,
    }


def _act(summary: Item) -> Item:
    item = {key: value for key, value in summary.items() if value is not None}
    source = item.pop("source", None)
    if source:
        given = {**source, source["kind"]: source["location"]}
        item["source"] = {key: value for key, value in given.items() if value and key not in ("kind", "location")}
    for key in ("workers", "timers"):  # an empty text stands for a key that was not given
        item[key] = [{name: value for name, value in one.items() if value != ""} for one in item.get(key, [])]
    engine = item.pop("database", "")
    return {**item, "database": {"engine": engine}} if engine else item


def _sess(name: str, act: ActState) -> Item:
    known: Item = {
        key: act.live_record[key]
        for key in ("stage", "worker_class", "manager", "processes", "threads", "limits", "standby")
        if key in act.live_record
    }
    asleep = {"state": ASLEEP, "idle": act.live_record["idle"]} if act.live_record.get("idle") else {}
    return {**known, **asleep, "act": name}


def _venue(data: Item, production: str, host: Host) -> Item:
    known: Item = {key: data[key] for key in ("name", "aliases", "state", "timezone") if key in data}
    told = dict(data.get("options", {}))
    if "auth" in told:
        told["auth"] = {**told["auth"], "users": passwords.of_venue(production, data["name"], host)}
    wish = wishes.read(host, production, data["name"])
    challenge = {"challenge": wish.challenge} if wish else {}
    pair = Pairs.of(host, production, data["name"]).given() if data["tls"] == FILES else {}
    return {**known, "tls": {"mode": with_tls(data)["tls"], "hsts": data.get("hsts", 0), **pair, **challenge}, **told}


def _gig(data: Item, gig: Item) -> Item:
    return {**gig, "venue": data["name"]}
