# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The input and the outcome of a run of the Production manager."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..host.errors import BackstageError
from ..manifest.nouns import Manifest
from ..state.plan import Step


@dataclass
class Order:
    """The input of a run.

    Args:
        manifest: the wanted state.
        resolved: Act -> the id and the label of its source. An Act without one keeps its release.
        shipped: Act -> its source's archive as it arrived: path and sha256.
        unavailable: Act -> why its source could not be fetched.
        archives: Act -> its source's archive in the spool; set under the lock.
        through: the last step of the run: build, migrate or play.
        build: whether Acts are built; else they stay as they are on disk.
        paths: Act -> the path that it is built for, if no Gig sets it yet.
        verb: what is done to one Act, of spec.VERBS; then nothing else is done.
        act: that Act.
        release: the release to go back to; empty for the one that played before, or that the last dump is of.
        leaving: the version that several hosts leave in a rollback; empty for whatever plays.
        keep_migrations: whether a rollback goes back to code that does not know all applied migrations.
        unhold: Acts whose hold ends.
        seeds: answers for interrupted seeds: done or again.
        whole: whether the manifest is complete, so that what it does not name has left it.
        prune: whether to remove what left the manifest.
        delete_data: removed Acts whose data is deleted, too.
        strike: whether to remove the whole Production.
        private: whether nothing outside hears of it: nginx and other users of the Venues' names are not touched.
        shared: Acts that play on other hosts, too.
        dns_follows: whether records of DNS are written after the run, so that names can be proven by them then.
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
    leaving: str = ""
    keep_migrations: bool = False
    unhold: set[str] = field(default_factory=set)
    seeds: dict[str, str] = field(default_factory=dict)
    whole: bool = False
    prune: bool = False
    delete_data: set[str] = field(default_factory=set)
    strike: bool = False
    private: bool = False
    shared: set[str] = field(default_factory=set)
    dns_follows: bool = False
    lock_timeout: float = 600


@dataclass
class Outcome:
    """The findings and the changes of a run."""

    steps: list[Step] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[BackstageError] = field(default_factory=list)
    playing: dict[str, Any] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    playbill: dict[str, Any] = field(default_factory=dict)
    asking: list[str] = field(default_factory=list)
