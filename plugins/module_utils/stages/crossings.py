# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The switch between two Sesses whose doors speak different protocols.

nginx has one text for each protocol, and all texts name ``live/door``. For the time of the switch each of the two doors
has a symlink to the other one's socket, so that both texts lead to a Sess, whichever of the two is live.
"""

from __future__ import annotations

import os

from ..host import files
from ..host.facts import Host
from ..state.read import ActState
from . import kinds
from .door import Door
from .interface import Front


class Crossing:
    """The doors of two Sesses of one Act.

    Args:
        one: the first Sess.
        other: the second Sess.
        state: their Act on disk.
        host: the host's facts.
    """

    def __init__(self, one: str, other: str, state: ActState, host: Host) -> None:
        self.one, self.other = (_door(sess, state, host) for sess in (one, other))

    @property
    def is_needed(self) -> bool:
        """Return whether nginx needs another text after the switch."""
        return self.one.protocol != self.other.protocol

    @property
    def _links(self) -> dict[str, str]:
        pairs = ((self.one, self.other), (self.other, self.one))
        return {os.path.join(os.path.dirname(door.path), os.path.basename(to.path)): to.path for door, to in pairs}

    @property
    def is_open(self) -> bool:
        """Return whether a killed run has left a symlink between the two."""
        return self.is_needed and any(files.link_target(path) == to for path, to in self._links.items())

    def open(self) -> None:
        for path, target in self._links.items():
            if os.path.isdir(os.path.dirname(path)):  # somebody may have removed the Sess that plays
                files.link(path, target)

    def close(self) -> None:
        for path, target in self._links.items():
            if files.link_target(path) == target:
                files.remove(path)


def close_left(sess: str, state: ActState, host: Host, front: Front) -> None:
    """Lead nginx back to the live Sess, before a Sess is stopped to which a killed run may have led it."""
    if state.live is None or state.live == sess:
        return
    crossing = Crossing(state.live, sess, state, host)
    if crossing.is_open:
        path = state.live_env.get("BACKSTAGE_PREFIX") or "/"
        front.lead(state.paths.name, state.live_release or "", path, crossing.one.protocol)
        crossing.close()


def _door(sess: str, state: ActState, host: Host) -> Door:
    return kinds.of_left(sess, state, host).door(sess)
