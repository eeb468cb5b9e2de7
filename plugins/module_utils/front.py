# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a Venue as a visitor would: through the nginx of this host."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from typing import Any

from . import diagnosis, door, files, server_block
from .errors import BackstageError
from .host import Host
from .layout import Act as ActPaths
from .nouns import Act


def blocks(production: str, host: Host) -> dict[str, dict[str, Any]]:
    """The Venues of a Production that nginx has: name -> the data of its file."""
    found = {}
    for name in files.names_in(host.venues):
        if name.startswith(production + ".") and name.endswith(".conf"):
            data = server_block.parse(files.read(os.path.join(host.venues, name)))
            if data:
                found[data["name"]] = data
    return found


def other_productions(production: str, host: Host) -> dict[str, str]:
    """The names that other Productions of this host have booked: name -> who."""
    found = {}
    for file in files.names_in(host.venues):
        if not file.startswith(production + "."):
            data = server_block.parse(files.read(os.path.join(host.venues, file)))
            for name in [data["name"], *data["aliases"]] if data else []:
                found[name] = f"the Production {data['production'] if data else ''}"
    return found


def get(host: Host, name: str, path: str, timeout: float) -> tuple[int, str]:
    """GET a page of a name from the local nginx: its status and the start of its body.

    Raises:
        BackstageError: nobody answered.
    """
    port = "" if host.http_port == 80 else f":{host.http_port}"
    client = http.client.HTTPConnection("127.0.0.1", host.http_port, timeout=timeout)
    try:
        client.request("GET", path, headers={"Host": name + port, "User-Agent": door.AGENT})
        answer = client.getresponse()
        return answer.status, answer.read(1 << 20).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise BackstageError(
            f"http://{name}{port}{path} does not answer on this host ({error or type(error).__name__})", step="nginx"
        ) from None
    finally:
        client.close()


def ask_booked(act: Act, paths: ActPaths, host: Host) -> None:
    """Ask every open Venue at which this Act is booked on this host.

    Raises:
        BackstageError: one does not answer as the Act's health says.
    """
    for name in booked_at(paths, host):
        ask(act, name, host)


def booked_at(paths: ActPaths, host: Host) -> Iterator[str]:
    for name, data in blocks(paths.production.name, host).items():
        if data["state"] == "open" and any(gig["act"] == paths.name for gig in data["gigs"]):
            yield name


def ask(act: Act, name: str, host: Host) -> None:
    status, body = get(host, name, act.health.path, act.health.timeout)
    if not act.health.accepts(status):
        raise BackstageError(diagnosis.answer(status, act.health.path, name, body), step="nginx")


def urls(production: str, host: Host) -> list[dict[str, Any]]:
    """Every Venue's URL, with what it answers now."""
    port = "" if host.http_port == 80 else f":{host.http_port}"
    answers = []
    for name, data in sorted(blocks(production, host).items()):
        try:
            status, _body = get(host, name, "/", 30)
        except BackstageError as error:
            answers.append(
                {"url": f"http://{name}{port}/", "status": 0, "state": data["state"], "error": error.message}
            )
        else:
            answers.append({"url": f"http://{name}{port}/", "status": status, "state": data["state"], "error": ""})
    return answers
