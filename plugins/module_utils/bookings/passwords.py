# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files with the users of Venues and the hashes of their passwords: nginx's workers read them at each request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Optional

from ..host import files, names, process
from ..host.facts import Host
from ..manifest.nouns import Venue
from ..state.plan import Step
from . import written
from .options import auth

MODE = 0o640


def read(path: str) -> dict[str, str]:
    """Return the hash of each user's password; empty if there is no file."""
    text = files.read(path) or ""
    if files.OWNERSHIP not in text:
        return {}
    return dict(line.split(":", 1) for line in text.splitlines()[1:] if ":" in line)


def of_venue(production: str, venue: str, host: Host) -> dict[str, str]:
    """Return the users of a Venue, and the hashes of their passwords."""
    return read(auth.path(host.passwords, production, venue))


class Passwords:
    """What the manifest says of users at Venues, and what is on the host.

    Args:
        production: the Production.
        host: the host's facts.
        venues: the Venues of the manifest; the files of others stay.
    """

    def __init__(self, production: str, host: Host, venues: Mapping[str, Venue]) -> None:
        self.production, self.host = production, host
        self.wanted = {
            name: venue.auth.users for name, venue in venues.items() if venue.auth.users and venue.state != "absent"
        }

    def _path(self, venue: str) -> str:
        return auth.path(self.host.passwords, self.production, venue)

    def _differing(self) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
        found = {name: (read(self._path(name)), users) for name, users in self.wanted.items()}
        return {name: pair for name, pair in found.items() if pair[0] != pair[1]}

    def steps(self) -> list[Step]:
        """Return the steps that change users. They have only names, because a hash is a secret."""
        steps = []
        for name, (before, after) in sorted(self._differing().items()):
            changed = sorted(user for user in after if before.get(user) != after[user])
            gone = sorted(set(before) - set(after))
            steps.append(Step("venue", name, "set passwords", gone or None, changed or None))
        return steps

    def write(self) -> dict[str, Optional[str]]:
        """Write the files that differ; return the earlier texts by path."""
        old = {}
        for name, (_before, users) in self._differing().items():
            old[self._path(name)] = files.read(self._path(name))
            self._put(self._path(name), _text(users))
        return old

    def put_back(self, old: Mapping[str, Optional[str]]) -> None:
        """Restore the earlier files."""
        for path, text in old.items():
            if text is None:
                files.remove(path)
            else:
                self._put(path, text)

    def _put(self, path: str, text: str) -> None:
        files.write(path, text, MODE, process.group_id(names.WWW_GROUP))

    def sweep(self) -> None:
        """Remove the Production's files that no server uses any more."""
        blocks = written.blocks(self.production, self.host)
        named = {self._path(name) for name, block in blocks.items() if "auth" in block.get("options", {})}
        for name in files.names_in(self.host.passwords):
            path = os.path.join(self.host.passwords, name)
            is_ours = name.startswith(self.production + ".") and files.OWNERSHIP in (files.read(path) or "")
            if is_ours and path not in named:
                files.remove(path)


def _text(users: Mapping[str, str]) -> str:
    return "".join([f"# {files.OWNERSHIP}\n", *(f"{name}:{password}\n" for name, password in sorted(users.items()))])
