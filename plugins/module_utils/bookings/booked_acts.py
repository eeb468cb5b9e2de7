# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acts as nginx has to know them: where each is reached, where its files are, and which protocol its door speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from ..acts import url_prefixes, world
from ..host.facts import Host
from ..manifest.nouns import Act, Manifest
from ..stages import kinds
from ..state.read import ActState, HostState
from . import blocks
from .locations import Booked


@dataclass(frozen=True)
class Coming:
    """What an Act is about to play, and where.

    Args:
        release: the id of the release.
        path: the URL path.
        protocol: how nginx asks at the Act's door meanwhile; empty for the protocol of the Sess that plays.
    """

    release: str
    path: str
    protocol: str = ""


@dataclass(frozen=True)
class BookedActs:
    """The Acts of a Production as nginx has to know them.

    Args:
        manifest: what the Production says; an Act may not be in it.
        state: the Acts on this host.
        host: the host's facts.
        coming: what Acts are about to play.
    """

    manifest: Manifest
    state: HostState
    host: Host
    coming: Mapping[str, Coming]

    def now(self, act: str, path: str) -> Optional[Booked]:
        """Return an Act as nginx has to know it now: visitors ask for the files of what plays, and of what will play.

        None if it has no release on this host.
        """
        state = self.state.act(act)
        release = state.live_release or state.record.get("release", "")
        served = [Coming(release, path)]
        if state.live:
            served.append(Coming(release, world.path(state.live_env)))
        if act in self.coming:
            served.append(self.coming[act])
        return self._serving(state, path, served)

    def finally_(self, act: str, path: str) -> Optional[Booked]:
        """Return an Act as nginx has to know it at the end of this run; None if it has no release on this host."""
        state = self.state.act(act)
        release = state.live_release or state.record.get("release", "")
        if act in self.coming:
            release = self.coming[act].release
        return self._serving(state, path, [Coming(release, path)])

    def _serving(self, state: ActState, path: str, served: list[Coming]) -> Optional[Booked]:
        served = [coming for coming in served if coming.release in state.releases]
        if not served:
            return None
        act = state.paths.name
        known: Optional[Act] = self.manifest.acts.get(act)
        timeout = blocks.longest_request(self.manifest.sesses.get(act), known, state, self.host)
        static, media, others = zip(
            *(url_prefixes.urls(state.releases[coming.release], coming.path) for coming in served)
        )
        keep = known.keep_releases if known else state.record.get("act", {}).get("keep_releases", Act.keep_releases)
        by_app = [url_prefixes.app_urls(state.releases[coming.release], coming.path) for coming in served]
        left = blocks.left(state, [served[0].release, *state.older(served[0].release, keep)], path)
        urls = (blocks.unique(static), blocks.unique(media), timeout, blocks.unique(others))
        protocol = self.coming[act].protocol if act in self.coming else ""
        protocol = protocol or kinds.of_sess(state.live_record, self.host, state.paths).door(state.live or "").protocol
        return Booked(act, path, *urls, left, protocol=protocol, app=blocks.unique(by_app))
