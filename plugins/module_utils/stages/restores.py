# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restore the databases of an Act from a dump, and play the release that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional

from ..acts import dumps
from ..acts import manager as acts
from ..acts.dumps import Dump, Unrestored
from ..host import files, names, users
from ..host.errors import BackstageError, Refusal, as_told
from ..host.facts import Host
from ..manifest.nouns import Act
from ..state.history import DUMPED, MOVED, RESTORED, RESTORING, UNRESTORED
from ..state.plan import Change, Phase, Step
from ..state.read import ActState
from . import manager as sesses
from .interface import Front

_CHANGING = (DUMPED, MOVED, RESTORED, RESTORING, UNRESTORED, "migrated")


def find(name: str, state: ActState, release: str) -> Dump:
    """Return the dump of a release.

    Args:
        name: the Act.
        state: the Act on disk.
        release: the requested release; empty if none was named.

    Raises:
        Refusal: there is none.
    """
    found = dumps.fitting(state, release) if release else None
    if found:
        return found
    there = sorted({(one.release, one.at) for one in dumps.known(state.paths)}, key=lambda one: one[1])
    if not there:
        said = "it has no dump on this host; Backstage makes one before migrations if the Act has 'dump: true'"
        raise Refusal(f"act {name}: {said}")
    wrong = f"there is no dump of release {release}" if release else "say which release: -e release="
    raise Refusal(f"act {name}: {wrong}; known: {', '.join(f'{one} ({at})' for one, at in there)}")


def is_done(state: ActState, dump: Dump) -> bool:
    """Return whether the databases were restored from this dump, and nothing but its release has used them since."""
    changing = [line for line in state.history.events if line.get("event") in _CHANGING]
    return bool(changing) and (changing[-1]["event"], changing[-1].get("dump")) == (RESTORED, dump.name)


@dataclass
class Restore:
    """A restore of the databases of one Act.

    Args:
        dump: what is restored.
        back: the Sess of the dump's release, and the hold that it leaves.
        state: the Act on disk.
        host: the host's facts.
        warn: takes warnings.
        front: what brings visitors to it.
    """

    dump: Dump
    back: sesses.Want
    state: ActState
    host: Host
    warn: Callable[[str], None]
    front: Front

    @property
    def act(self) -> Act:
        return self.back.act.act

    def run(self, mode: str, options: dict[str, Any], **streams: Any) -> dict[str, Any]:
        return acts.ask(self.back.act, self.state, self.host, mode, options, fill=False, **streams)

    def plan(self) -> Change:
        """Return the change of the databases.

        Raises:
            BackstageError: it can't be done. Nothing was changed.
        """
        self._check()
        before = {"release": self.state.live_release} if self.state.live else None
        step = Step("act", self.act.name, "restore", before, {"release": self.dump.release, "at": self.dump.at})
        return Change(step, Phase.MIGRATE, self.act.name, self.make)

    def _check(self) -> None:
        name, dump = f"act {self.act.name}", self.dump
        if dump.engine != self.act.database:
            before, after = dump.engine or "the project's own database", self.act.database or "the project's own"
            raise Refusal(f"{name}: the dump is of {before}, and its database is now {after}; restore it by hand")
        dumps.check(dump)
        found = {one["alias"]: one for one in dumps.survey(self.run)["databases"]}
        for one in dump.databases:
            alias, there = one["alias"], found.get(one["alias"])
            if there is None or there["vendor"] != one["vendor"]:
                said = f"the dump has a {one['vendor']} database '{alias}', and release {dump.release} has none"
                raise Refusal(f"{name}: {said}; restore it by hand")
            if not there["owned"]:
                said = "belongs to another role, so its objects can't be replaced; restore it by hand, as its owner"
                raise Refusal(f"{name}: the database '{alias}' {said}")
        # SQLite needs a copy of either beside its file
        files.need_room(self.state.paths.root, dump.size + 2 * sum(one["size"] for one in found.values()), "a restore")

    def make(self) -> None:
        """Stop the Act, dump its databases as they are, and replace them.

        Raises:
            BackstageError: they were not replaced. What played before plays again.
        """
        state, old = self.state, self.state.live_release
        sesses.stop_all(state, self.host, self.warn)
        try:
            self._need_quiet()
            left = old or state.record.get("release", self.dump.release)
            dumps.make(state, self.act.database, left, self.run, dumps.survey(self.run), self.dump)
            state.history.add(RESTORING, dump=self.dump.name)
            self._replace()
        except (BackstageError, OSError) as error:
            told = as_told(error)
            if not (isinstance(error, Unrestored) and error.done):
                told = self._resumed(told, old)
            raise told from None
        if self.back.hold:
            files.write(state.paths.hold, files.to_json(self.back.hold), 0o600)
        state.history.add(RESTORED, dump=self.dump.name, release=self.dump.release)

    def _need_quiet(self) -> None:
        """End what else runs of the Act, so that nothing writes to its databases meanwhile."""
        working = files.names_in(self.state.paths.sesses)
        if working:
            raise BackstageError(
                f"workers of Sess {', '.join(working)} still finish their jobs; run again when they have",
                step="restore",
            )
        users.end_processes(names.player(self.state.paths.production.name, self.act.name))

    def _replace(self) -> None:
        try:
            dumps.restore(self.dump, self.run)
        except Unrestored as error:
            if not error.done:
                self.state.history.add(UNRESTORED, dump=self.dump.name)
            raise

    def _resumed(self, error: BackstageError, old: Optional[str]) -> BackstageError:
        """Play what played before, and return the failure."""
        if not old:
            return error
        wanted = acts.Want(self.act, self.back.act.address, old, play=old)
        again = sesses.Want(self.back.sess, wanted, because=("not restored",))
        try:
            for change in sesses.plan(again, self.state, self.host, self.warn, self.front):
                if change.phase == Phase.PLAY and change.make:
                    change.make()
        except BackstageError as second:
            said = f"{error.message}; and release {old}, which played, does not start again: {second.message}"
            return BackstageError(said, step=error.step, log=second.log or error.log)
        return error
