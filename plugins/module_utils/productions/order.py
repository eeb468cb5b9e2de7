# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of the Production manager is told, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..host.errors import BackstageError
from ..manifest.nouns import Manifest
from ..state.plan import Step


@dataclass
class Order:
    """What a run is told.

    Args:
        manifest: what should be.
        resolved: Act -> the id and the label of its source; an Act without one keeps its release.
        shipped: Act -> its source's archive as it arrived: path and sha256.
        unavailable: Act -> why its source could not be fetched.
        archives: Act -> its source's archive in the spool; filled in under the lock.
        through: build, migrate or play: where the run ends.
        build: whether Acts are built; else they stay as they are on disk.
        paths: Act -> the path that it is built for, where its Gig does not say so yet.
        verb: what is done to one Act, of spec.VERBS; nothing else is done then.
        act: that Act.
        release: what it is rolled back to; empty for the one that played before.
        unhold: Acts whose hold ends.
        seeds: answers for seeds that were interrupted: done or again.
        whole: whether the manifest is all of the Production, so that what it does not name has left it.
        prune: whether what left the manifest is taken down.
        delete_data: removed Acts whose data goes, too.
        strike: whether the whole Production is taken down.
        private: whether nobody is told of it: nginx, and whoever has the Venues' names, are left alone.
        lock_timeout: seconds to wait for another run.
    """

    manifest: Manifest
    resolved: dict[str, dict[str, str]] = field(default_factory=dict)
    shipped: dict[str, dict[str, str]] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    archives: dict[str, str] = field(default_factory=dict)
    through: str = "play"
    build: bool = True
    paths: dict[str, str] = field(default_factory=dict)
    verb: str = ""
    act: str = ""
    release: str = ""
    unhold: set[str] = field(default_factory=set)
    seeds: dict[str, str] = field(default_factory=dict)
    whole: bool = False
    prune: bool = False
    delete_data: set[str] = field(default_factory=set)
    strike: bool = False
    private: bool = False
    lock_timeout: float = 600


@dataclass
class Outcome:
    """What a run found, and did."""

    steps: list[Step] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[BackstageError] = field(default_factory=list)
    playing: dict[str, Any] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
