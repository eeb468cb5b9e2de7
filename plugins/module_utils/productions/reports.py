# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of a host for people: status, history and the playbill are views of its state."""

from __future__ import annotations

import datetime as dt
import os
from typing import Any

from ..acts import dumps
from ..bookings import blocks, calendars, issued, visit, written
from ..certificates import ends
from ..host import files
from ..host.facts import Host
from ..host.layout import ROOT, Production
from ..host.names import PRODUCTION, REHEARSAL
from ..stages import kinds, limits, standbys
from ..stages.crew import DRAIN, Crew
from ..stages.interface import Look, Stage
from ..stages.timers import Timers
from ..state.read import ActState, HostState, read
from . import inspection, status, traffic


def productions() -> list[str]:
    """Return the Productions that have something on this host."""
    found = [
        name for name in files.names_in(ROOT) if PRODUCTION.match(name) and os.path.isdir(os.path.join(ROOT, name))
    ]
    # after a rehearsal only packages are left of its Production
    return [name for name in found if name != REHEARSAL or files.names_in(Production(name).acts)]


def report(production: str, whole: bool = False) -> dict[str, Any]:
    """Return everything about one Production on this host.

    Args:
        production: its name.
        whole: whether to compare every sealed file with its record.
    """
    host = Host.read()
    state = read(production, host)
    pages = {name: act.record.get("act", {}).get("health", {}).get("path", "/") for name, act in state.acts.items()}
    look = Look(host)
    asleep = {
        name
        for name, act in state.acts.items()
        if act.live and kinds.of_sess(act.live_record, host, act.paths).is_asleep(act.live, look)
    }
    venues = visit.urls(production, host, pages, asleep) if host.has_front_of_house else []
    held = {
        name: kinds.of_sess(act.live_record, host, act.paths).held(act.live, act.live_record.get("limits") or {}, look)
        for name, act in sorted(state.acts.items())
        if act.live
    }
    sesses = _sesses(state, host, look, held)
    booked, ports = written.booked(production, host)
    requests = traffic.of(production, booked, ports)
    statuses = {
        name: status.of(act, host, look, sesses.get(name, {}).get("state", ""), requests.get(name, traffic.Traffic()))
        for name, act in sorted(state.acts.items())
        if act.exists
    }
    return {
        "status": statuses,
        "remarks": status.remarks(statuses),
        "certificates": {name: found for name in booked if (found := ends.of(host, production, name))},
        "acts": {name: _act(act, host) for name, act in sorted(state.acts.items()) if act.exists or act.history.events},
        "sesses": sesses,
        "venues": dict(sorted(booked.items())),
        "issued": issued.lines(host, production, booked),
        "answers": venues,
        "playbill": _playbill(state, sesses, venues, booked),
        "workers": [line for act in state.acts.values() for line in _worker_lines(act, host)],
        "timers": [line for act in state.acts.values() for line in _timer_lines(act, host)],
        "calendar": calendars.lines(booked, dt.datetime.now(dt.timezone.utc)),
        "standbys": [line for line in map(standbys.line, state.acts.values()) if line],
        "limits": [line for name, ones in held.items() for line in limits.lines(name, ones)],
        "drift": [{**one.entry(), "line": one.line()} for one in inspection.inspect(state, host, whole)],
    }


def shown(found: dict[str, Any]) -> dict[str, Any]:
    """Return the result as text: the playbill, or the Productions if none was named."""
    if "playbill" in found:
        lines = found["playbill"] or ["nothing of this Production is here"]
        lines = [
            *lines,
            *status.table(found.get("status", {})),
            *found.get("remarks", []),
            *found.get("issued", []),
            *found.get("workers", []),
            *found.get("timers", []),
            *found.get("calendar", []),
            *found.get("standbys", []),
            *found.get("limits", []),
            *(one["line"] for one in found.get("drift", [])),
        ]
    else:
        lines = found["productions"] or ["no Production is here"]
    return {"stdout": "\n".join(lines), "stdout_lines": lines}


def _act(act: ActState, host: Host) -> dict[str, Any]:
    return {
        "release": act.record.get("release"),
        "live": act.live_release,
        "held": act.hold.get("release"),
        "stopped": act.stopped.get("at"),
        "standby": standbys.of(act).partition(".")[0] or None if standbys.is_kept(act) else None,
        "releases": {
            name: {"source": record["source"], "built": record["built"], "pinned": record["pinned"]}
            for name, record in act.releases.items()
        },
        "dumps": [
            {"release": dump.release, "at": dump.at, "size": dump.size, "path": dump.path}
            for dump in dumps.known(act.paths)
        ],
        "history": act.history.events,
        "has_data": act.has_data,
        "timers": _timers(act, host),
    }


def _sesses(state: HostState, host: Host, look: Look, held: dict[str, list[limits.Held]]) -> dict[str, Any]:
    _venues, ports = written.booked(state.paths.name, host)
    found: dict[str, Any] = {}
    for name, act in sorted(state.acts.items()):
        if not act.live:
            continue
        stage = kinds.of_sess(act.live_record, host, act.paths)
        found[name] = {
            "sess": act.live,
            "release": act.live_release,
            "since": act.history.since(act.live),
            "state": _sess_state(stage, act.live, look),
            "processes": act.live_record.get("processes"),
            "threads": act.live_record.get("threads"),
            "port": ports.get(name, {}).get("port"),
            "limits": {one.key: one.entry() for one in held[name]},
            "workers": _workers(Crew(host, act.paths, act.live)),
        }
    return found


def _sess_state(stage: Stage, sess: str, look: Look) -> str:
    if stage.is_playing(sess, look):
        return "playing"
    return "asleep" if stage.is_asleep(sess, look) else "dark"


def _workers(crew: Crew) -> dict[str, Any]:
    """Return the workers of a Sess by name: their state from the kernel, and their own reports."""
    working, wanted = crew.working(), crew.wanted()
    return {
        name: {
            "state": ("ending" if wanted == DRAIN else "working") if name in working else "not working",
            "since": report.since if name in working else "",
            "restarts": report.restarts,
            "last_end": report.ended,
            "last_status": report.status if report.ended else None,
        }
        for name, report in crew.reports().items()
    }


def _worker_lines(act: ActState, host: Host) -> list[str]:
    """Return a line for each worker of an Act, including those of an earlier Sess."""
    lines = []
    for sess in sorted(act.sesses):
        of_sess = "" if sess == act.live else f", of the earlier Sess {sess}"
        for name, worker in _workers(Crew(host, act.paths, sess)).items():
            since = f" since {worker['since']}" if worker["since"] else ""
            ends = f", ended by itself {worker['restarts']} times" if worker["restarts"] else ""
            last = f" (status {worker['last_status']}, {worker['last_end']})" if worker["last_end"] else ""
            lines.append(f"worker: act {act.paths.name}, {name}{of_sess}: {worker['state']}{since}{ends}{last}")
    return lines


def _timers(act: ActState, host: Host) -> dict[str, Any]:
    """Return the timers of an Act by name: whether one runs, and how its last run ended."""
    own, found = Timers(act.paths, host), {}
    for name in own.known():
        report = own.report(name)
        found[name] = {
            "when": own.when(name),
            "running": own.is_running(name),
            "last_start": report.since,
            "last_end": report.ended,
            "last_status": report.status if report.ended else None,
        }
    return found


def _timer_lines(act: ActState, host: Host) -> list[str]:
    """Return a line for each timer of an Act: its time, and how its last run ended."""
    lines = []
    for name, timer in _timers(act, host).items():
        last = f"ended with status {timer['last_status']}, {timer['last_end']}" if timer["last_end"] else "never ended"
        now = f"running since {timer['last_start']}" if timer["running"] else last
        failed = "FAILED, " if timer["last_status"] and not timer["running"] else ""
        lines.append(f"timer: act {act.paths.name}, {name}, {timer['when']}: {failed}{now}")
    return lines


def _playbill(
    state: HostState, sesses: dict[str, Any], answers: list[dict[str, Any]], venues: dict[str, blocks.Block]
) -> list[str]:
    """Return one line for each Gig, Venue without one and port, and one for each Act that is not on now."""
    lines = []
    reached = {answer["act"] for answer in answers}
    booked = {act: name for name, block in venues.items() for act in blocks.acts(block)}
    for answer in answers:
        played = _played(answer["act"], state, sesses) if answer["act"] else "nothing on"
        said = f"{answer['status']}: {answer['error']}" if answer["status"] and answer["error"] else ""
        lines.append(f"{answer['url']}  {said or answer['status'] or answer['error']}  {answer['state']}  {played}")
    for name in sorted(state.acts):
        if name not in reached:
            place = f"(not on now at {booked[name]})" if name in booked else "(no Venue)"
            lines.append(f"{place}  {_played(name, state, sesses)}")
    return lines


def _played(name: str, state: HostState, sesses: dict[str, Any]) -> str:
    sess = sesses.get(name)
    if sess is None:
        mark = state.act(name).stopped
        return f"{name}: stopped at {mark['at']} by {mark['by']}" if mark else f"{name}: not playing"
    act = state.act(name)
    record = act.releases.get(sess["release"], {})
    held = f", {act.hold['release']} held" if act.hold else ""
    pinned = "" if record.get("pinned", True) else ", requirements not pinned"
    source, since = record.get("source", "?"), sess["since"]
    return f"{name}: {sess['state']}, release {sess['release']} ({source}) since {since}{held}{pinned}"
