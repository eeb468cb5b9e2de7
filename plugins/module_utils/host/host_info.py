# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of the host that a role needs, read in one call, and what prevents the role from working."""

from __future__ import annotations

from typing import Any

from . import clusters, default_site, emperors, files, listeners, packages, powerdns, records, uv
from .nginx_dump import Dump, place
from .services import Service
from .system import System

_NGINX = "nginx"
_ELSEWHERE = {
    "port": "front_of_house_http_port to another port",
    "tls_port": "front_of_house_https_port to another port, or to 0 where no Venue has TLS",
}
_STRIKE = "Take these Productions down first (playbook backstage.django.strike)."
_HTTP2_DIRECTIVE = (1, 25, 1)
"""The version of nginx in which HTTP/2 became a directive of its own; before, it is a word of the listener."""
_OPTIONAL_GROUPS = (3, 5)
"""The version of OpenSSL that leaves a group for key exchange out if it has a question mark and is not known."""
_CONNECTIONS = ("/etc/nginx/nginx.conf", "512")
"""The file in which the owner would set the number, and nginx's default."""


def read(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the answers to the options of the module backstage_host_info."""
    system, missing, leaving = System.read(), packages.missing(asked["packages"]), asked["leaving"]
    found = {
        "system": system.entry(),
        "missing": missing,
        "python_apt": not missing or not packages.missing(["python3-apt"]),
    }
    refusals = [] if leaving else system.refusals()
    if asked["service"]:
        found["service"] = Service(**asked["service"]).state(system.systemd)
    if asked["record"]:
        found["recorded"] = records.confirmed(asked["record"])
    if asked["uv"]:
        found["uv"] = uv.version(asked["uv"])
    for subject, answer in _SUBJECTS.items():
        if asked[subject]:
            found[subject], in_the_way = answer(asked[subject], leaving)
            refusals = refusals or in_the_way
    return {**found, "refusals": refusals}


def _emperor(asked: dict[str, Any], leaving: bool) -> tuple[dict[str, Any], list[str]]:
    directory = asked["vassals"]
    playing = emperors.playing(directory)
    if leaving:
        return {"playing": playing}, [f"Still playing here: {', '.join(playing)}. {_STRIKE}"] if playing else []
    return {"playing": playing}, emperors.refusals(directory, asked["ini"])


def _nginx(asked: dict[str, Any], leaving: bool) -> tuple[dict[str, Any], list[str]]:
    dump, site, port, tls_port = Dump.read(), default_site.state(), asked["port"], asked["tls_port"]
    taken_by, tls_taken_by = _holder(port), _holder(tls_port) if tls_port else ""
    venues = [name for name in files.names_in(asked["venues"]) if name.endswith(".conf")]
    where, number = next(iter(dump.values("worker_connections").items()), _CONNECTIONS)
    found = {
        # this run rewrites and tests our own file
        "broken": place(dump.fault) in asked["ours"],
        "taken_by": taken_by,
        "default_site": site,
        "default_site_removed": default_site.was_removed(asked["facts"]),
        "venues": venues,
        "http2_directive": packages.version(_NGINX) >= _HTTP2_DIRECTIVE,
        "optional_groups": packages.version("openssl") >= _OPTIONAL_GROUPS,
        # another file sets the limit of open files, so the owner has chosen it
        "limits_files": any(path not in asked["ours"] for path in dump.values("worker_rlimit_nofile")),
        "connections": {"path": where, "number": int(number)},
    }
    if leaving:
        return found, [f"Still booked here: {', '.join(venues)}. {_STRIKE}"] if venues else []
    in_the_way = [*_faults(dump, asked), *_default_servers(dump, asked, site, "port"), *_taken(port, taken_by, "port")]
    if tls_port:
        in_the_way += [*_default_servers(dump, asked, site, "tls_port"), *_taken(tls_port, tls_taken_by, "tls_port")]
    return found, in_the_way


def _holder(port: int) -> str:
    """Who else listens on a port; empty where nobody does, or nginx."""
    who = listeners.holder({one for table in listeners.TABLES for one in listeners.sockets(port, table)}, _NGINX)
    return "" if who == _NGINX else who


def _faults(dump: Dump, asked: dict[str, Any]) -> list[str]:
    """Return a fault in a file of somebody else. This run repairs ours, the Booking manager those of Venues."""
    path = place(dump.fault)
    if not dump.fault or path in asked["ours"] or path.startswith(f"{asked['venues']}/"):
        return []
    return [f"nginx's configuration was broken before this run: {dump.fault}. Repair it first: nothing was changed."]


def _default_servers(dump: Dump, asked: dict[str, Any], site: str, which: str) -> list[str]:
    return [
        f"{path} already declares a default server for port {asked[which]} ({line}), and only one can exist. Remove "
        f"default_server from it, or set {_ELSEWHERE[which]}."
        for path, line in dump.default_servers(asked[which]).items()
        if path not in asked["ours"] and not (path == default_site.LINK and site == default_site.UNTOUCHED)
    ]


def _taken(port: int, who: str, which: str) -> list[str]:
    return [f"Port {port} is taken by {who}. Stop it, or set {_ELSEWHERE[which]}."] if who else []


def _producer(asked: dict[str, Any], leaving: bool) -> tuple[dict[str, Any], list[str]]:
    found, refusals = powerdns.read(asked, leaving)
    if not leaving and not System.read().systemd:
        refusals = ["PowerDNS comes with a service of systemd alone, and systemd is not PID 1 here."]
    return found, refusals


def _postgresql(_asked: dict[str, Any], leaving: bool) -> tuple[dict[str, Any], list[str]]:
    cluster, refusals = clusters.find()
    if leaving:
        return {**cluster.entry(), "acts": cluster.acts()}, []
    return {**cluster.entry(), "acts": []}, refusals


_SUBJECTS = {"emperor": _emperor, "nginx": _nginx, "postgresql": _postgresql, "producer": _producer}
