# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which releases of an Act stay, and which go."""

from __future__ import annotations

from ..state.read import ActState
from .wants import Want, needs_source


def superfluous(want: Want, state: ActState, switches: bool) -> list[str]:
    """Return the releases beyond keep_releases: first those that never played, then the longest unplayed.

    The live, the held and the wanted release stay, and those whose static files are still served.

    Args:
        want: the wanted state.
        state: the actual state.
        switches: whether this run starts a new Sess, which selects anew whose static files it serves.
    """
    known = {*state.releases}
    if needs_source(want, state):
        known.add(want.release)
    played = [name for name in state.history.played() if name in known]
    wanted = want.play or want.release
    ranked = [wanted, *[name for name in played if name != wanted]]
    never = sorted(known - set(ranked), key=lambda name: state.releases.get(name, {}).get("built", ""))
    ranked += reversed(never)
    kept = {*ranked[: want.act.keep_releases], want.release, state.live_release}
    kept |= {sess.split(".")[0] for sess in state.crews}  # workers of these may still finish their jobs
    if not switches:
        kept |= {*state.served, state.standby.get("sess", "").split(".")[0]}
    if not want.unhold:
        kept.add(state.hold.get("release"))
    return [name for name in ranked if name not in kept]
