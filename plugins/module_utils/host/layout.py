# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where everything of a Production lies on a host; see "On a host" in the documentation."""

from __future__ import annotations

import os
from dataclasses import dataclass

ROOT = "/srv/backstage"
LOGS = "/var/log/backstage"
SEAL = "release.json"
OTHERS = ".backstage"
"""Inside a release's static files: those that the manifest's static_urls name, one directory a URL."""
HOST_LOCK = ROOT + "/.lock"
REHEARSAL_LOCK = ROOT + "/.rehearsal"


@dataclass(frozen=True)
class Production:
    """The directories of one Production."""

    name: str

    @property
    def root(self) -> str:
        return os.path.join(ROOT, self.name)

    @property
    def acts(self) -> str:
        return os.path.join(self.root, "acts")

    @property
    def environments(self) -> str:
        return os.path.join(self.root, "environments")

    @property
    def spool(self) -> str:
        return os.path.join(self.root, "spool")

    @property
    def cache(self) -> str:
        """The package cache of the environments' builder."""
        return os.path.join(self.root, "cache")

    @property
    def lock(self) -> str:
        return os.path.join(self.root, ".lock")

    @property
    def logs(self) -> str:
        return os.path.join(LOGS, self.name)

    def act(self, name: str) -> Act:
        return Act(self, name)


@dataclass(frozen=True)
class Act:
    """The directories of one Act."""

    production: Production
    name: str

    @property
    def root(self) -> str:
        return os.path.join(self.production.acts, self.name)

    @property
    def releases(self) -> str:
        return os.path.join(self.root, "releases")

    @property
    def sesses(self) -> str:
        return os.path.join(self.root, "sesses")

    @property
    def live(self) -> str:
        return os.path.join(self.root, "live")

    @property
    def media(self) -> str:
        return os.path.join(self.root, "media")

    @property
    def data(self) -> str:
        return os.path.join(self.root, "data")

    @property
    def workshop(self) -> str:
        """The builder's throw-away home while a release is built."""
        return os.path.join(self.root, "workshop")

    @property
    def record(self) -> str:
        return os.path.join(self.root, "act.json")

    @property
    def history(self) -> str:
        return os.path.join(self.root, "history.jsonl")

    @property
    def hold(self) -> str:
        return os.path.join(self.root, "hold")

    @property
    def log(self) -> str:
        return os.path.join(self.production.logs, self.name + ".log")

    def release(self, release: str) -> Release:
        return Release(os.path.join(self.releases, release))

    def sess(self, sess: str) -> Sess:
        return Sess(os.path.join(self.sesses, sess))


@dataclass(frozen=True)
class Release:
    """The files of one release."""

    root: str

    @property
    def code(self) -> str:
        return os.path.join(self.root, "code")

    @property
    def static(self) -> str:
        return os.path.join(self.root, "static")

    @property
    def seal(self) -> str:
        return os.path.join(self.root, SEAL)


@dataclass(frozen=True)
class Sess:
    """The files of one Sess."""

    root: str

    @property
    def ini(self) -> str:
        return os.path.join(self.root, "uwsgi.ini")

    @property
    def limits(self) -> str:
        """What its start is told of its limits; there where it has some."""
        return os.path.join(self.root, "limits.json")

    @property
    def env(self) -> str:
        return os.path.join(self.root, "env")

    @property
    def door(self) -> str:
        return os.path.join(self.root, "door")

    @property
    def socket(self) -> str:
        return os.path.join(self.door, "s")

    @property
    def release(self) -> str:
        return os.path.join(self.root, "release")

    @property
    def static(self) -> str:
        return os.path.join(self.root, "static")

    @property
    def older(self) -> str:
        return os.path.join(self.root, "older")

    @property
    def record(self) -> str:
        return os.path.join(self.root, "sess.json")
