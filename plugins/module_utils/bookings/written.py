# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nginx has of Productions, from the data in their files."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..host import files
from ..host.facts import Host
from . import schedule, server_block, server_files
from .blocks import Block, Gig
from .blocks import on as on_now
from .server_files import ServerFiles


@dataclass(frozen=True)
class Written:
    """The files of nginx that a Production has.

    Args:
        files: each as it is, by its name.
        venues: what those of Venues say of themselves, by the Venue's name.
        ports: the same of Sesses' own ports, by Act.
    """

    files: dict[str, ServerFiles]
    venues: dict[str, Block]
    ports: dict[str, Block]

    def shown(self, production: str, block: Block) -> list[Gig]:
        """Return the Gigs of a Venue that are on by its link, which the program backstage-bookings moves."""
        found = self.files.get(server_block.file_name(production, block["name"]))
        return on_now(block, schedule.shown_by(found.on)) if found and found.on else block["gigs"]


def read(production: str, host: Host) -> Written:
    """Read the files of nginx that a Production has."""
    found = Written({}, {}, {})
    for name in files.names_in(host.venues):
        if name.startswith(production + ".") and name.endswith(".conf"):
            own = server_files.read(host, name) or ServerFiles("")
            data = server_block.parse(own.text)
            found.files[name] = own
            if data and "name" in data:
                found.venues[data["name"]] = data
            if data and "port" in data:
                found.ports[data["act"]] = data
    return found


def booked(production: str, host: Host) -> tuple[dict[str, Block], dict[str, Block]]:
    """Return the data of a Production's files of nginx: Venues by name, and Sesses' own ports by Act."""
    found = read(production, host)
    return found.venues, found.ports


def blocks(production: str, host: Host) -> dict[str, Block]:
    """Return the Venues of a Production that nginx has: name -> the data of its file."""
    return booked(production, host)[0]


def other_productions(production: str, host: Host) -> dict[str, str]:
    """Return the names, and ports as "port 8001", that other Productions of this host have: name -> who."""
    found = {}
    for file in files.names_in(host.venues):
        if not file.startswith(production + "."):
            data = server_block.parse(files.read(os.path.join(host.venues, file))) or {}
            for name in [data["name"], *data["aliases"]] if "name" in data else []:
                found[name] = f"the Production {data['production']}"
            if "port" in data:
                found[f"port {data['port']}"] = f"the Act {data['act']} of the Production {data['production']}"
    return found
