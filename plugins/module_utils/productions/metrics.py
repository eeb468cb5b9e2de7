# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics of all Productions of a host, for the textfile collector of Prometheus' node exporter.

The program of the role ``metrics`` calls ``main`` every minute, without Ansible. Nothing here changes a Production or
asks an Act, and only what is cheap is read: files of some lines, the emperor's stats and /proc.
"""

from __future__ import annotations

import os
import sys
import time
from calendar import timegm
from collections.abc import Iterator
from typing import Union

from ..acts import graphs
from ..host import access_logs, files, locks, names, usage
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import ROOT
from ..stages import kinds
from ..stages.crew_reports import Report
from ..stages.interface import Look
from ..state.read import ActState, read
from . import last_errors

Number = Union[int, float]
Sample = tuple[str, dict[str, str], Number]
NGINX_LOGS = "/var/log/nginx"
HELP = {
    "backstage_act_playing": "Whether the Act plays and accepts requests; also while it sleeps.",
    "backstage_act_info": "What plays; always 1.",
    "backstage_act_since_seconds": "When the Sess that plays went live.",
    "backstage_act_processes": "The processes of the Sess.",
    "backstage_act_memory_bytes": "The memory of these processes.",
    "backstage_act_respawns": "How often the emperor started the Sess again.",
    "backstage_act_pending_migrations": "Migrations of the release that no run has applied.",
    "backstage_act_held": "Whether a release was rolled back and is held.",
    "backstage_act_stopped": "Whether the Act was stopped by the playbook stop.",
    "backstage_act_pinned": "Whether the requirements of the release are pinned.",
    "backstage_act_last_error_seconds": "When the last exception was logged, if the log tells it.",
    "backstage_worker_working": "Whether a worker lives.",
    "backstage_worker_restarts": "How often a worker ended by itself since its Sess began.",
    "backstage_timer_last_status": "The exit status of the last run of a timer.",
    "backstage_timer_last_end_seconds": "When the last run of a timer ended.",
    "backstage_venue_requests": "Requests of visitors in the last hour.",
    "backstage_venue_errors": "Requests of the last hour that were answered with a status of 500 or more.",
    "backstage_certificate_end_seconds": "When the certificate of a Venue ends.",
    "backstage_emperor_up": "Whether the emperor answers.",
    "backstage_metrics_seconds": "When these metrics were written.",
}
"""Each metric with what it tells. All are gauges."""


def productions() -> list[str]:
    """Return the Productions of this host, without that of rehearsals."""
    found = [name for name in files.names_in(ROOT) if names.PRODUCTION.match(name) and name != names.REHEARSAL]
    return [name for name in found if os.path.isdir(os.path.join(ROOT, name))]


def samples(host: Host) -> Iterator[Sample]:
    """Yield all samples of this host."""
    look = Look(host)
    yield "backstage_emperor_up", {}, int(look.emperor is not None)
    for production in productions():
        state = read(production, host)
        for name, act in sorted(state.acts.items()):
            if act.exists:
                labels = {"production": production, "act": name}
                yield from _of_act(act, labels, look)
                yield from _of_stage(act, labels, look)
                yield from _of_workers(act, labels)
                yield from _of_timers(act, labels)
        yield from _of_venues(production)
        yield from _of_certificates(production, host)
    yield "backstage_metrics_seconds", {}, int(time.time())


def _of_act(act: ActState, labels: dict[str, str], look: Look) -> Iterator[Sample]:
    release, live = act.releases.get(act.live_release or "", {}), act.live or ""
    yield "backstage_act_held", labels, int(bool(act.hold))
    yield "backstage_act_stopped", labels, int(bool(act.stopped))
    error = last_errors.of(act.paths.log, act.hidden)
    if error and error["at"]:
        yield "backstage_act_last_error_seconds", labels, _moment(error["at"])
    if not act.live:
        return
    played = next((line for line in reversed(act.history.events) if line.get("sess") == act.live), {})
    about = {"release": act.live_release, "source": release.get("source"), "sess": act.live, "by": played.get("by")}
    yield "backstage_act_info", {**labels, **{key: str(value or "") for key, value in about.items()}}, 1
    since = act.history.since(act.live)
    if since:
        yield "backstage_act_since_seconds", labels, _moment(since)
    vassal = look.emperor.vassals.get(names.vassal(labels["production"], labels["act"], live)) if look.emperor else None
    yield "backstage_act_respawns", labels, vassal.respawns if vassal else 0
    yield "backstage_act_pinned", labels, int(release.get("pinned", True))
    pending = graphs.pending_of(act)
    if pending is not None:
        yield "backstage_act_pending_migrations", labels, len(pending)


def _of_stage(act: ActState, labels: dict[str, str], look: Look) -> Iterator[Sample]:
    """Yield what only the Stage kind of the Sess knows. A later Backstage may have made it, by a kind of its own."""
    live = act.live or ""
    try:
        stage = kinds.of_sess(act.live_record, look.host, act.paths)
    except BackstageError as error:
        sys.stderr.write(f"backstage-metrics: {labels['production']}/{labels['act']}: {error.message}\n")
        return
    is_on = bool(live) and (stage.is_playing(live, look) or stage.is_asleep(live, look))
    yield "backstage_act_playing", labels, int(is_on)
    if live:
        used = usage.of(stage.pid(live, look))
        yield "backstage_act_processes", labels, used.processes
        yield "backstage_act_memory_bytes", labels, used.memory


def _of_workers(act: ActState, labels: dict[str, str]) -> Iterator[Sample]:
    crew = act.paths.sess(act.live or "").crew
    for name in _names(crew, ".lock") if act.live else []:
        report = Report.read(os.path.join(crew, "said", name + ".json"))
        own = {**labels, "worker": name}
        yield "backstage_worker_working", own, int(locks.is_held(os.path.join(crew, name + ".lock")))
        yield "backstage_worker_restarts", own, report.restarts


def _of_timers(act: ActState, labels: dict[str, str]) -> Iterator[Sample]:
    for name in _names(act.paths.timers, ".json"):
        report = Report.read(os.path.join(act.paths.timers, "said", name + ".json"))
        if report.ended:
            own = {**labels, "timer": name}
            yield "backstage_timer_last_status", own, report.status
            yield "backstage_timer_last_end_seconds", own, _moment(report.ended)


def _of_venues(production: str) -> Iterator[Sample]:
    """Yield the requests of each access log: of a Venue, or of the port of an Act, which begins with an underscore."""
    prefix = f"backstage.{production}."
    for name in _names(NGINX_LOGS, ".log"):
        if name.startswith(prefix):
            recent = access_logs.recent(os.path.join(NGINX_LOGS, name + ".log"))
            labels = {"production": production, "venue": name.removeprefix(prefix)}
            yield "backstage_venue_requests", labels, len(recent.requests)
            yield "backstage_venue_errors", labels, recent.errors


def _of_certificates(production: str, host: Host) -> Iterator[Sample]:
    for name in files.names_in(host.certificates):
        sealed = files.read_json(os.path.join(host.certificates, name, "live", "sealed"))
        ends = (sealed.get("ends") or sealed.get("until")) if isinstance(sealed, dict) else None
        if name.startswith(production + ".") and ends:
            labels = {"production": production, "venue": name.partition(".")[2]}
            yield "backstage_certificate_end_seconds", labels, int(ends)


def _names(folder: str, suffix: str) -> list[str]:
    return [name.removesuffix(suffix) for name in files.names_in(folder) if name.endswith(suffix)]


def _moment(text: str) -> int:
    """Return a time of Backstage's records in seconds since 1970."""
    if text.endswith("Z"):
        return timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    at = time.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    return timegm(at) - at.tm_gmtoff


def text(found: Iterator[Sample]) -> str:
    """Return samples in the text format of Prometheus, those of one metric together."""
    by_name: dict[str, list[str]] = {}
    for name, labels, value in found:
        told = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        by_name.setdefault(name, []).append(f"{name}{{{told}}} {value}" if told else f"{name} {value}")
    lines: list[str] = []
    for name, helped in HELP.items():
        if name in by_name:
            lines += [f"# HELP {name} {helped}", f"# TYPE {name} gauge", *by_name[name]]
    return "\n".join(lines) + "\n"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def main(arguments: list[str]) -> None:
    """Write the metrics into the file that is named. The collector never reads half of it."""
    (path,) = arguments
    _write(path, text(samples(Host.read())))


def _write(path: str, content: str) -> None:
    """Replace a file as the owner of its directory, who could otherwise have root write elsewhere."""
    owner = os.stat(os.path.dirname(path))
    if owner.st_uid:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
    new = f"{path}.{os.getpid()}"
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        os.write(handle, content.encode())
    finally:
        os.close(handle)
    os.replace(new, path)
