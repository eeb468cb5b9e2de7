# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The paths of a Production on a host; see "On a host" in the documentation."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property

ROOT = "/srv/backstage"
LOGS = "/var/log/backstage"
SEAL = "release.json"
ENVIRONMENT_SEAL = "environment.json"
OTHERS = ".backstage"
"""The directory inside a release's static files for the manifest's static_urls, one subdirectory for each URL."""
HOST_LOCK = ROOT + "/.lock"
REHEARSAL_LOCK = ROOT + "/.rehearsal"


@dataclass(frozen=True)
class Production:
    """The directories of one Production."""

    name: str

    @cached_property
    def root(self) -> str:
        return os.path.join(ROOT, self.name)

    @cached_property
    def acts(self) -> str:
        return os.path.join(self.root, "acts")

    @cached_property
    def environments(self) -> str:
        return os.path.join(self.root, "environments")

    def environment(self, key: str) -> str:
        return os.path.join(self.environments, key)

    @cached_property
    def spool(self) -> str:
        return os.path.join(self.root, "spool")

    @cached_property
    def cache(self) -> str:
        """Return the package cache of the environments' builder."""
        return os.path.join(self.root, "cache")

    @cached_property
    def lock(self) -> str:
        return os.path.join(self.root, ".lock")

    @cached_property
    def environments_lock(self) -> str:
        """Return the lock of its shared builder, who makes one environment at a time."""
        return os.path.join(self.root, ".environments.lock")

    @cached_property
    def logs(self) -> str:
        return os.path.join(LOGS, self.name)

    def act(self, name: str) -> Act:
        return Act(self, name)


@dataclass(frozen=True)
class Act:
    """The directories of one Act."""

    production: Production
    name: str

    @cached_property
    def root(self) -> str:
        return os.path.join(self.production.acts, self.name)

    @cached_property
    def releases(self) -> str:
        return os.path.join(self.root, "releases")

    @cached_property
    def sesses(self) -> str:
        return os.path.join(self.root, "sesses")

    @cached_property
    def live(self) -> str:
        return os.path.join(self.root, "live")

    @cached_property
    def media(self) -> str:
        return os.path.join(self.root, "media")

    @cached_property
    def data(self) -> str:
        return os.path.join(self.root, "data")

    @cached_property
    def fetched(self) -> str:
        """Return the directory of what uv fetched for a rehearsal's builder, kept between two attempts."""
        return os.path.join(self.root, "fetched")

    @cached_property
    def workshop(self) -> str:
        """Return the builder's temporary home while a release is built."""
        return os.path.join(self.root, "workshop")

    @cached_property
    def record(self) -> str:
        return os.path.join(self.root, "act.json")

    @cached_property
    def history(self) -> str:
        return os.path.join(self.root, "history.jsonl")

    @cached_property
    def hold(self) -> str:
        return os.path.join(self.root, "hold")

    @cached_property
    def dumps(self) -> str:
        """Return the directory of its databases' dumps, each in a directory of its own."""
        return os.path.join(self.root, "dumps")

    @cached_property
    def stopped(self) -> str:
        """There while the Act is stopped by the playbook stop, and not by the manifest."""
        return os.path.join(self.root, "stopped")

    @cached_property
    def standby(self) -> str:
        """It names the Sess that played before the live one, while that one stays beside it."""
        return os.path.join(self.root, "standby")

    @cached_property
    def log(self) -> str:
        return os.path.join(self.production.logs, self.name + ".log")

    @cached_property
    def crew_log(self) -> str:
        """What its workers print: no Act's name has a dot."""
        return os.path.join(self.production.logs, self.name + ".crew.log")

    @cached_property
    def run_log(self) -> str:
        """What runs did for it, and how long that took."""
        return os.path.join(self.production.logs, self.name + ".run.log")

    @cached_property
    def once(self) -> str:
        """The locks of workers of which one may run at a time, whatever Sess it is of."""
        return os.path.join(self.root, "once")

    @cached_property
    def timers(self) -> str:
        return os.path.join(self.root, "timers")

    def release(self, release: str) -> Release:
        return Release(os.path.join(self.releases, release))

    def sess(self, sess: str) -> Sess:
        return Sess(os.path.join(self.sesses, sess))


@dataclass(frozen=True)
class Release:
    """The files of one release."""

    root: str

    @cached_property
    def code(self) -> str:
        return os.path.join(self.root, "code")

    @cached_property
    def static(self) -> str:
        return os.path.join(self.root, "static")

    @cached_property
    def seal(self) -> str:
        return os.path.join(self.root, SEAL)


@dataclass(frozen=True)
class Sess:
    """The files of one Sess."""

    root: str

    @cached_property
    def ini(self) -> str:
        return os.path.join(self.root, "uwsgi.ini")

    @cached_property
    def limits(self) -> str:
        """Return the file of its limits, which its start reads. It exists only if the Sess has limits."""
        return os.path.join(self.root, "limits.json")

    @cached_property
    def crew_ini(self) -> str:
        """The vassal of its workers; beside limits.json, so that they have those limits, too."""
        return os.path.join(self.root, "crew.ini")

    @cached_property
    def crew(self) -> str:
        """What its workers are told; there where it has some."""
        return os.path.join(self.root, "crew")

    @cached_property
    def env(self) -> str:
        return os.path.join(self.root, "env")

    @cached_property
    def door(self) -> str:
        return os.path.join(self.root, "door")

    @cached_property
    def socket(self) -> str:
        return os.path.join(self.door, "s")

    @cached_property
    def http_socket(self) -> str:
        """The socket of a Stage whose server speaks HTTP."""
        return os.path.join(self.door, "h")

    @cached_property
    def release(self) -> str:
        return os.path.join(self.root, "release")

    @cached_property
    def static(self) -> str:
        return os.path.join(self.root, "static")

    @cached_property
    def older(self) -> str:
        return os.path.join(self.root, "older")

    @cached_property
    def record(self) -> str:
        return os.path.join(self.root, "sess.json")
