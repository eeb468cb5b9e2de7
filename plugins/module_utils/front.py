# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a Venue as a visitor would, or a Sess's own port: through the nginx of this host."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from . import diagnosis, door, files, server_block
from .errors import BackstageError
from .host import Host
from .layout import Act as ActPaths
from .nouns import Act
from .timed import TimedSocket

Block = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where an Act can be asked.

    Args:
        name: a Venue's name, or one of the host itself.
        path: the URL path below which it plays.
        port: the Sess's own; None for a Venue.
    """

    name: str
    path: str = "/"
    port: Optional[int] = None

    def below(self, page: str) -> str:
        return self.path.rstrip("/") + page


def _ours(production: str, host: Host) -> Iterator[Block]:
    """What the files of a Production say of themselves."""
    for name in files.names_in(host.venues):
        if name.startswith(production + ".") and name.endswith(".conf"):
            data = server_block.parse(files.read(os.path.join(host.venues, name)))
            if data:
                yield data


def booked(production: str, host: Host) -> tuple[dict[str, Block], dict[str, Block]]:
    """What nginx has of a Production, as the data of its files: Venues by name, and Sesses' own ports by Act."""
    ours = list(_ours(production, host))
    return (
        {data["name"]: data for data in ours if "name" in data},
        {data["act"]: data for data in ours if "port" in data},
    )


def blocks(production: str, host: Host) -> dict[str, Block]:
    """The Venues of a Production that nginx has: name -> the data of its file."""
    return booked(production, host)[0]


def other_productions(production: str, host: Host) -> dict[str, str]:
    """The names, and ports as "port 8001", that other Productions of this host have: name -> who."""
    found = {}
    for file in files.names_in(host.venues):
        if not file.startswith(production + "."):
            data = server_block.parse(files.read(os.path.join(host.venues, file))) or {}
            for name in [data["name"], *data["aliases"]] if "name" in data else []:
                found[name] = f"the Production {data['production']}"
            if "port" in data:
                found[f"port {data['port']}"] = f"the Act {data['act']} of the Production {data['production']}"
    return found


def get(host: Host, name: str, path: str, timeout: float, port: Optional[int] = None) -> tuple[int, str]:
    """GET a page of a name from the local nginx: its status and the start of its body.

    Args:
        host: the host's facts.
        name: the name that is asked for.
        path: the page.
        timeout: seconds for the whole answer.
        port: where, if not at the Venues' own port.

    Raises:
        BackstageError: nobody answered.
    """
    port = port or host.http_port
    site = name if port == 80 else f"{name}:{port}"
    client = http.client.HTTPConnection("127.0.0.1", port)
    client.sock = TimedSocket(socket.AF_INET, timeout)
    try:
        client.sock.connect((client.host, port))
        client.request("GET", path, headers={"Host": site, "User-Agent": door.AGENT})
        answer = client.getresponse()
        return answer.status, answer.read(1 << 20).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise BackstageError(
            f"http://{site}{path} does not answer on this host ({error or type(error).__name__})", step="nginx"
        ) from None
    finally:
        client.close()


def ask_booked(act: Act, paths: ActPaths, host: Host) -> None:
    """Ask every open Venue at which this Act is booked on this host, and the Sess's own port.

    Raises:
        BackstageError: one does not answer as the Act's health says.
    """
    venues, ports = booked(paths.production.name, host)
    for name, data in venues.items():
        for gig in data["gigs"] if data["state"] == "open" else []:
            if gig["act"] == paths.name:
                ask(act, Place(name, gig["path"]), host)
    if paths.name in ports:
        ask(act, at_port(act, ports[paths.name]), host)


def at_port(act: Act, data: dict[str, Any]) -> Place:
    """A Sess's own port, asked by the name that the Act's health says, if it says one."""
    return Place(act.health.host or "localhost", data["path"], data["port"])


def ask(act: Act, place: Place, host: Host) -> None:
    page = place.below(act.health.path)
    status, body = get(host, place.name, page, act.health.timeout, place.port)
    if not act.health.accepts(status):
        raise BackstageError(diagnosis.answer(status, page, place.name, body), step="nginx")


def urls(production: str, host: Host, pages: Mapping[str, str]) -> list[dict[str, Any]]:
    """The URL of every Gig, of every Venue without one, and of every port of a Sess, with what it answers now.

    Args:
        production: its name.
        host: the host's facts.
        pages: of each Act the page that its health asks for, which stands in for a front page that is not there.
    """
    venues, ports = booked(production, host)
    asked = []
    for name, data in sorted(venues.items()):
        for gig in data["gigs"] or [{"path": "/", "act": None}]:
            asked.append((Place(name, gig["path"]), data["state"], gig["act"]))
    for act, data in sorted(ports.items()):
        asked.append((Place("localhost", data["path"], data["port"]), "local", act))
    found = []
    for place, state, act in asked:
        answer = _answer(place, host, "/")
        if answer["status"] == 404 and pages.get(act, "/") != "/":
            answer = _answer(place, host, pages[act])
        found.append({**answer, "state": state, "act": act})
    return found


def _answer(place: Place, host: Host, path: str) -> dict[str, Any]:
    port, page = place.port or host.http_port, place.below(path)
    url = f"http://{place.name}{'' if port == 80 else f':{port}'}{page}"
    try:
        status, _body = get(host, place.name, page, 30, place.port)
    except BackstageError as error:
        return {"url": url, "status": 0, "error": error.message}
    return {"url": url, "status": status, "error": ""}
