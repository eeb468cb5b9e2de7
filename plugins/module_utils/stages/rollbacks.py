# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rollback goes back to, and what it leaves behind."""

from __future__ import annotations

from typing import Optional

from ..acts import manager as acts
from ..acts.world import Address
from ..host.errors import Refusal
from ..manifest.nouns import Act, Sess
from ..state.read import ActState
from . import manager as sesses


def target(name: str, state: ActState, release: str) -> Optional[str]:
    """The release to go back to; None where it plays already.

    Args:
        name: the Act.
        state: the Act on disk.
        release: the one that was asked for; empty for the one that played before.

    Raises:
        Refusal: there is none.
    """
    if not state.live:
        raise Refusal(f"act {name}: it does not play, so there is nothing to roll back")
    if _was_interrupted(state) or release == state.live_release:
        return None
    found = release or _previous(name, state)
    if found not in state.releases:
        known = ", ".join(sorted(state.releases))
        raise Refusal(f"act {name}: there is no release {found} on this host; known: {known}")
    return found


def want(act: Act, sess: Optional[Sess], address: Address, state: ActState, release: str) -> sesses.Want:
    """The Sess of an earlier release with today's configuration, and the hold that it leaves.

    Raises:
        Refusal: no Sess of the Act should play.
    """
    if sess is None or sess.state != "started":
        raise Refusal(f"act {act.name}: it has no started Sess that could be rolled back")
    # what the manifest wants needs no hold: the next run would play it, too
    forward = release == state.record.get("release")
    # a second rollback goes further back, and what was held stays held
    hold = state.hold or {"release": state.live_release or "", "digest": state.record.get("digest", "")}
    played = acts.Want(act, address, release, unhold=forward and bool(state.hold), play=release)
    return sesses.Want(sess, played, None if forward else hold)


def _was_interrupted(state: ActState) -> bool:
    """Whether a rollback was killed after its switch: what it left plays beside the live Sess."""
    left = {*state.sesses, *state.started} - {state.live}
    return bool(state.hold) and any(sess.split(".")[0] == state.hold["release"] for sess in left)


def _previous(name: str, state: ActState) -> str:
    """The release that played before the live one, as history has it; never one that was rolled back."""
    passed = {state.live_release, state.hold.get("release")}
    for release in state.history.played():
        if release in state.releases and release not in passed:
            return release
    raise Refusal(f"act {name}: there is no earlier release to roll back to")
