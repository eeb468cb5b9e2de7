# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of the host. Nothing here changes or caches anything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Optional

from ..host import files, names
from ..host.facts import Host
from ..host.layout import Act as ActPaths
from ..host.layout import Production
from .history import History

Record = dict[str, Any]
OLDER = 4
"""The number of earlier releases whose static files nginx serves after the live one's."""


@dataclass
class ActState:
    """The state of an Act on disk.

    If this run renames the Act, this is the state after that, and ``was`` is the old name.
    """

    paths: ActPaths
    record: Record
    releases: dict[str, Record]
    unsealed: list[str]
    sesses: list[str]
    started: list[str]
    live: Optional[str]
    live_record: Record
    history: History
    hold: Record
    stopped: Record
    crews: list[str] = field(default_factory=list)
    was: str = ""
    standby: Record = field(default_factory=dict)

    @cached_property
    def live_env(self) -> dict[str, str]:
        """Return the variables of the live Sess, one file each, read on demand."""
        if not self.live:
            return {}
        found = read_env(self.paths.sess(self.live).env)
        found.pop(names.PROOF, None)  # each Sess has its own token
        return found

    def was_given(self, digest: str) -> bool:
        """Return whether the live Sess was started with these variables and nobody has changed them since.

        Changing, adding or removing a file sets its ctime, which nobody can reset, so no file has to be opened.

        Args:
            digest: the digest of the variables, as recorded.
        """
        if not self.live or self.live_record.get("variables") != digest:
            return False
        sess = self.paths.sess(self.live)
        try:
            written = os.lstat(sess.record).st_mtime_ns
            with os.scandir(sess.env) as entries:
                changed = max([os.lstat(sess.env).st_ctime_ns, *(_ctime(entry) for entry in entries)])
        except OSError:
            return False
        return changed <= written

    @property
    def live_release(self) -> Optional[str]:
        return self.live.split(".")[0] if self.live else None

    @property
    def hidden(self) -> list[str]:
        """Return the values of the live Sess to mask: its secrets and its token."""
        named = [self.live_env[name] for name in self.live_record.get("secrets", []) if name in self.live_env]
        return [*named, *filter(None, [self.live_record.get("token")])]

    @property
    def served(self) -> set[str]:
        """Return the releases whose static files the live Sess still serves."""
        older = self.paths.sess(self.live).older if self.live else ""
        targets = [files.link_target(os.path.join(older, name)) or "" for name in files.names_in(older)]
        return {os.path.basename(os.path.dirname(target)) for target in targets}

    def older(self, release: str, keep: int) -> list[str]:
        """Return the earlier releases whose static files a Sess of this release serves, too, latest first.

        Args:
            release: the release that it plays.
            keep: the number of releases that stay.
        """
        played = [name for name in self.history.played() if name != release and name in self.releases]
        return played[: min(OLDER, keep - 1)]

    @property
    def exists(self) -> bool:
        return bool(self.record or self.releases or self.all_sesses)

    @property
    def all_sesses(self) -> set[str]:
        """Whatever is there of a Sess: its directory, or what tells a runner to run it or its workers."""
        return {*self.sesses, *self.started, *self.crews}

    @property
    def has_data(self) -> bool:
        return os.path.isdir(self.paths.root)

    def next_sess(self, release: str, remembered: Iterable[str] = ()) -> str:
        """Return a Sess id that was never used.

        release: the release that it will play.
        remembered: the Sesses that the Stage remembers, even if nothing else of them is left on this host.
        """
        numbers = [self.history.last_number(release)]
        for sess in [*self.sesses, *self.started, *remembered]:
            match = names.SESS.match(sess)
            if match and match.group("release") == release:
                numbers.append(int(match.group("number")))
        return f"{release}.{max(numbers) + 1}"


def refresh(state: ActState) -> None:
    """Read an Act again, after another process changed it. Plans keep their reference to its state."""
    found = read_act(state.paths, state.started, state.crews)
    state.__dict__.clear()
    state.__dict__.update(found.__dict__)


@dataclass
class HostState:
    """The state of a Production on this host."""

    paths: Production
    started: dict[str, list[str]] = field(default_factory=dict)
    crews: dict[str, list[str]] = field(default_factory=dict)
    acts: dict[str, ActState] = field(default_factory=dict)

    def act(self, name: str) -> ActState:
        if name not in self.acts:
            self.acts[name] = read_act(self.paths.act(name), self.started.get(name, []), self.crews.get(name, []))
        return self.acts[name]


def read(production: str, host: Host) -> HostState:
    """Read a Production. Its Acts are read on demand."""
    paths = Production(production)
    state = HostState(paths, *_started(production, host))
    for name in sorted({*files.names_in(paths.acts), *state.started, *state.crews}):
        state.act(name)
    return state


def _started(production: str, host: Host) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the Sesses that are started, now and at every boot, and those whose workers are: Act -> ids."""
    started: dict[str, list[str]] = {}
    crews: dict[str, list[str]] = {}
    own: dict[tuple[str, ...], dict[str, list[str]]] = {
        (ending,): started for ending in ("ini", "service", "socket", "conf")
    }
    endings = {**own, ("crew", "ini"): crews}
    for directory in (host.vassals, host.units, host.supervisor):
        for name in files.names_in(directory):
            parts = name.split(".")
            found = endings.get(tuple(parts[5:]))
            if parts[:2] != ["backstage", production] or found is None:
                continue
            act, sess = parts[2], f"{parts[3]}.{parts[4]}"
            if sess not in found.setdefault(act, []):
                found[act].append(sess)
    return started, crews


def read_act(paths: ActPaths, started: list[str], crews: list[str]) -> ActState:
    releases: dict[str, Record] = {}
    unsealed: list[str] = []
    for name in files.names_in(paths.releases):
        record = files.read_json(paths.release(name).seal)
        if record is None:
            unsealed.append(name)
        else:
            releases[name] = record
    live = os.path.basename(files.link_target(paths.live) or "") or None
    live_record: Record = {}
    if live:
        live_record = files.read_json(paths.sess(live).record) or {}
    return ActState(
        paths=paths,
        record=files.read_json(paths.record) or {},
        releases=releases,
        unsealed=unsealed,
        sesses=files.names_in(paths.sesses),
        started=started,
        live=live,
        live_record=live_record,
        history=History.read(paths.history, live, os.lstat(paths.live).st_mtime if live else 0),
        hold=files.read_json(paths.hold) or {},
        stopped=files.read_json(paths.stopped) or {},
        crews=crews,
        standby=files.read_json(paths.standby) or {},
    )


def _ctime(entry: os.DirEntry[str]) -> int:
    return entry.stat(follow_symlinks=False).st_ctime_ns


def read_env(path: str) -> dict[str, str]:
    """Return the variables in an envdir, which has one file for each, with the value and one newline."""
    variables = {}
    for name in files.names_in(path):
        text = files.read(os.path.join(path, name)) or ""
        variables[name] = text.removesuffix("\n")
    return variables
