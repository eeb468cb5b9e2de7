# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Act manager: from a source to a sealed release, its database and its seeds, and its removal."""

from __future__ import annotations

import os
import shlex
from functools import partial
from typing import Any, Optional

from ..host import files, names, process, users
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import SEAL
from ..manifest.database import POSTGRESQL
from ..manifest.jobs import Seed
from ..manifest.nouns import Act
from ..state.plan import Change, Phase, Step, differing
from ..state.read import ActState
from . import databases, drift, dumps, graphs, hooks, retention, world
from .wants import Want, needs_source, record_of

FIXTURE = "fixture "
PATIENCE = 600
"""Seconds that a migrate waits for another one of the same database."""


def plan(
    want: Want,
    state: ActState,
    host: Host,
    known: databases.Databases,
    through: str,
    seeds: dict[str, str],
    switches: bool = False,
) -> list[Change]:
    """Return the changes for an Act that should be present.

    Args:
        want: the wanted state.
        state: the actual state.
        host: the host's facts.
        known: the databases that exist.
        through: the last step of the run.
        seeds: answers for interrupted seeds.
        switches: whether this run starts a new Sess, which selects anew whose static files it serves.
    """
    manager = _Manager(want, state, host)
    mended = manager.mend()
    # first, so that an Act is not built in vain without its database
    needed = want.act.database == POSTGRESQL and through != "build"
    is_renamed = bool(state.was) and needed and known.has(state.was)
    made = known.plan(want.act.name) if needed and not is_renamed else []
    changes = mended + manager.sweep() + manager.record()
    if through == "play":
        changes += manager.unhold()
    if needs_source(want, state):
        changes.append(manager.change("build", Phase.BUILD, manager.build, state.live_release, want.release))
    if through in ("migrate", "play"):
        changes += made
        if not want.held:
            changes += manager.database(seeds, fresh=bool(made) and known.lacks(want.act.name))
    return changes + manager.discard(switches)


def ask(
    want: Want, state: ActState, host: Host, mode: str, options: dict[str, Any], fill: bool = True, **streams: Any
) -> dict[str, Any]:
    """Run a step of the wanted release, as the player and with its variables.

    Args:
        want: the Act, with the release.
        state: what is on disk.
        host: the host's facts.
        mode: the step.
        options: its options.
        fill: whether what the Act may write is filled first, which a release that played does not need.
        streams: what takes its output, and the descriptors that it gets; see steps.run.
    """
    return _Manager(want, state, host)._run(mode, options, {}, fill, **streams)


def plan_unhold(want: Want, state: ActState, host: Host) -> list[Change]:
    """Return the end of a hold, if the run asks for it."""
    return _Manager(want, state, host).unhold()


class _Manager:
    def __init__(self, want: Want, state: ActState, host: Host) -> None:
        self.want = want
        self.state = state
        self.host = host
        self.act = want.act
        self.paths = state.paths
        self.production = state.paths.production.name
        self.migrated: dict[str, Any] = {}
        self.dumped: Optional[dumps.Dump] = None

    def change(self, verb: str, phase: Phase, make: Any, before: Any = None, after: Any = None) -> Change:
        return Change(Step("act", self.act.name, verb, before, after), phase, self.act.name, make)

    def mend(self) -> list[Change]:
        """Return the repairs of users and modes that were changed by hand."""
        found = drift.of_act(self.state) if self.state.record and not self.state.was else []
        if not found:
            return []
        before, after = ({one.where: getattr(one, key) for one in found} for key in ("found", "wanted"))
        return [self.change("mend", Phase.CLEAR, partial(drift.mend, self.state), before, after)]

    def sweep(self) -> list[Change]:
        """Return the removals of unsealed releases and dumps, which a killed run left."""
        building = needs_source(self.want, self.state)
        left = [name for name in self.state.unsealed if not (building and name == self.want.release)]
        changes = [self.change("sweep", Phase.CLEAR, partial(self._sweep, name), name) for name in left]
        if os.path.isdir(self.paths.workshop) and not building:
            changes.append(self.change("sweep", Phase.CLEAR, self._clear_workshop, "workshop"))
        for name in dumps.unsealed(self.paths):
            changes.append(self.change("sweep", Phase.CLEAR, partial(dumps.sweep, self.paths, name), f"dump {name}"))
        return changes

    def _sweep(self, release: str) -> None:
        self._end_builder()
        files.remove_tree(self.paths.release(release).root)

    def _clear_workshop(self) -> None:
        self._end_builder()
        files.remove_tree(self.paths.workshop)

    def _end_builder(self) -> None:
        users.end_processes(names.builder(self.production, self.act.name))

    def record(self) -> list[Change]:
        before, after = self.state.record, record_of(self.want)
        if before == after:
            return []
        if not before:
            return [self.change("add", Phase.RECORD, self._record, None, after["act"])]
        shown = differing(
            {**before["act"], "release": before["release"]}, {**after["act"], "release": after["release"]}
        )
        return [self.change("change", Phase.RECORD, self._record, shown["before"], shown["after"])]

    def unhold(self) -> list[Change]:
        if not self.want.unhold:
            return []
        return [self.change("unhold", Phase.RECORD, self._unhold, self.state.hold.get("release"))]

    def _unhold(self) -> None:
        files.remove(self.paths.hold)
        self.state.history.add("unheld", release=self.state.hold.get("release"))

    def _record(self) -> None:
        """Write the record. It is written last, so a failed run leaves no record."""
        prepare(self.paths)
        files.write(self.paths.record, files.to_json(record_of(self.want)), 0o600)

    def build(self) -> None:
        from . import build

        if not self.want.archive or self.want.inputs is None:
            raise BackstageError("its source did not arrive on this host", step="build")
        prepare(self.paths)
        job = build.Job(
            act=self.act,
            address=self.want.address,
            inputs=self.want.inputs,
            release=self.want.release,
            source=self.want.source,
            archive=self.want.archive,
            secrets=secrets_of(self.act, self.state),
        )
        record = build.build(job, self.paths, self.host)
        self.state.releases[self.want.release] = files.read_json(self.paths.release(self.want.release).seal) or record
        self.state.history.add("built", release=self.want.release, source=self.want.source)

    def database(self, answers: dict[str, str], fresh: bool) -> list[Change]:
        """Return migrations, once for each release, and fixtures and seeds, once in the Act's life.

        Args:
            answers: answers for interrupted seeds: done or again.
            fresh: whether this run creates the database, so that earlier migrations do not count.
        """
        dumps.need_restored(self.state)
        early = [seed for seed in self.act.seed if seed.before_migrate]
        late = [Seed(FIXTURE + path, shlex.join(["loaddata", path])) for path in self.act.fixtures]
        late += [seed for seed in self.act.seed if not seed.before_migrate]
        migrates = self.act.migrate and (fresh or not self.state.history.migrated(self.want.release, self.act.database))
        changes = self._dumps() if migrates and not fresh else []
        changes += [change for seed in early for change in self._seed(seed, answers.get(seed.name))]
        if migrates:
            after = self._pending(fresh) or self.want.release
            changes += self._hooks(hooks.BEFORE_MIGRATE, self.act.hooks.before_migrate)
            changes.append(self.change("migrate", Phase.MIGRATE, partial(self._migrate, fresh), None, after))
            changes += self._hooks(hooks.AFTER_MIGRATE, self.act.hooks.after_migrate)
        return changes + [change for seed in late for change in self._seed(seed, answers.get(seed.name))]

    def _pending(self, fresh: bool) -> Optional[dict[str, Any]]:
        """Return the release with its pending migrations; None if only its build or the database can tell them."""
        known = graphs.of_release(self.state.releases.get(self.want.release, {}))
        if known is None or self.state.history.moved() >= 0:
            return None
        applied = set() if fresh else graphs.supposed(self.state, self.act.database)
        return {"release": self.want.release, "pending": graphs.pending(applied, known)}

    def _dumps(self) -> list[Change]:
        """Return the dump before migrations, if the manifest asks for one and there may be something to dump."""
        expected = self._pending(False)
        is_new = bool(self.act.database) and not self.state.history.migrations(self.act.database)
        if not self.act.dump or is_new or self.production == names.REHEARSAL or (expected and not expected["pending"]):
            return []
        return [self.change("dump", Phase.MIGRATE, self._dump, None, dumps.owner(self.state, self.want.release))]

    def _dump(self) -> None:
        live = self.state.live_release
        if live and self._has_migrations_of(live):
            return
        found = self._run("survey", {}, {})
        if any(one["pending"] for one in found["databases"]):
            release = dumps.owner(self.state, self.want.release)
            run = partial(ask, self.want, self.state, self.host)
            self.dumped = dumps.make(self.state, self.act.database, release, run, found)

    def _hooks(self, when: str, lines: list[str]) -> list[Change]:
        return [
            Change(
                hooks.step(self.act.name, when, line),
                Phase.MIGRATE,
                self.act.name,
                partial(self._run_hook, when, line, when == hooks.AFTER_MIGRATE and number == len(lines)),
            )
            for number, line in enumerate(lines, 1)
        ]

    def _run_hook(self, when: str, line: str, last: bool) -> None:
        try:
            self._run("run", {"words": shlex.split(line)}, {})
        except BackstageError as error:
            raise hooks.failure(when, line, error, self.migrated.get("applied", ())) from None
        if last:
            self.state.history.add("migrated", **self.migrated)

    def _seed(self, seed: Seed, answer: Optional[str]) -> list[Change]:
        history = self.state.history
        if answer == "done" and history.seed_state(seed.name) != "seed done":
            make = partial(history.add, "seed done", seed=seed.name, because="it was said to be")
            return [self.change("seed", Phase.MIGRATE, make, None, f"{seed.name}, said to be done")]
        if answer == "done" or (answer != "again" and history.seeded(seed.name)):
            return []
        return [self.change("seed", Phase.MIGRATE, partial(self._run_seed, seed), None, seed.name)]

    def _run_seed(self, seed: Seed) -> None:
        self.state.history.add("seed started", seed=seed.name)
        self._run("run", {"words": shlex.split(seed.run)}, {**seed.env, **seed.secrets})
        self.state.history.add("seed done", seed=seed.name)

    def _migrate(self, fresh: bool) -> None:
        live = self.state.live_release
        which = {"database": self.act.database} if self.act.database else {}
        if live and not fresh and self._has_migrations_of(live):
            self._note_migrated(applied=[], because=f"its migrations are those of {live}", **which)
            return
        data = self.paths.data
        options = {
            "database": databases.wanted(self.act, self.production, data),
            "patience": PATIENCE,
            "shared": self.want.shared,
            # a rehearsal only migrates its own databases
            "within": self.paths.production.root if self.production == names.REHEARSAL else "",
        }
        try:
            found = self._run("migrate", options, {})
        except BackstageError as error:
            raise dumps.with_way_back(error, self.act.name, self.dumped) from None
        self._note_migrated(applied=found["applied"], **which)

    def _note_migrated(self, **what: Any) -> None:
        """Record the migration. If hooks follow, the last one records it, so that the next run repeats a failed one."""
        self.migrated = {"release": self.want.release, **what}
        if not self.act.hooks.after_migrate:
            self.state.history.add("migrated", **self.migrated)

    def _has_migrations_of(self, live: str) -> bool:
        """Return whether `migrate` has nothing to do, because the live release has the same migrations and database."""
        old, new = self.state.releases.get(live, {}), self.state.releases[self.want.release]
        if not new.get("migrations") or new["migrations"] != old.get("migrations"):
            return False
        # paths with the release's id differ; if another variable differs, the database may differ, too
        before = {name: value.replace(live, self.want.release) for name, value in self.state.live_env.items()}
        after = play_variables(self.want, self.state, new, self.host)
        before.pop("BACKSTAGE_APPLICATION", None)
        return before == after and self.state.history.migrated(live, self.act.database)

    def _run(
        self, mode: str, options: dict[str, Any], extra: dict[str, str], fill: bool = True, **streams: Any
    ) -> dict[str, Any]:
        """Run a step as the player, with the variables of the Sess."""
        from . import environments, steps

        release = self.state.releases[self.want.release]
        player = process.User.named(names.player(self.production, self.act.name))
        if fill:
            fill_writable(self.state, release)
        environment = self.paths.production.environment(release["environment"])
        env = {
            **play_variables(self.want, self.state, release, self.host),
            **environments.entered(environment),
            **extra,
        }
        code = self.paths.release(self.want.release).code
        cwd = os.path.join(code, release["project"])
        given = world.given(self.act, secrets_of(self.act, self.state))
        options = {"manage": self.act.manage, "code": code, "given": given, **options}
        return steps.run(mode, options, os.path.join(environment, "bin", "python"), player, env, cwd, **streams)

    def discard(self, switches: bool) -> list[Change]:
        return [
            self.change("discard", Phase.TIDY, partial(self._discard, name), name)
            for name in retention.superfluous(self.want, self.state, switches)
        ]

    def _discard(self, release: str) -> None:
        dumps.remove_of(self.paths, release)  # first, because they are of no use without it
        files.remove_sealed(self.paths.release(release).root, SEAL)


def prepare(paths: Any) -> None:
    """Make an Act's users and directories, with the documented modes."""
    from . import uploads

    production = paths.production
    for path in (production.root, production.acts, production.environments):
        files.directory(path)
    users.ensure_act(production.name, paths.name, paths.data)
    player = process.User.named(names.player(production.name, paths.name))
    for path in (paths.root, paths.releases, paths.sesses):
        files.directory(path, 0o711)
    files.directory(paths.media, uploads.MODE, player.uid, process.group_id(names.WWW_GROUP))
    files.directory(paths.data, 0o700, player.uid, player.gid)


def fill_writable(state: ActState, release: dict[str, Any]) -> None:
    """Fill the Act's writable places once, and make uploads readable for nginx."""
    from . import finish, uploads

    paths = state.paths
    player = process.User.named(names.player(paths.production.name, paths.name))
    uploads.mend(paths.media, player.uid, process.group_id(names.WWW_GROUP))
    origin = os.path.join(paths.release(release["release"]).root, finish.ORIGIN)
    for place in process.call_as(player, finish.fill, paths.root, origin, release["links"], state.history.filled()):
        state.history.add("filled", place=place)


def play_variables(want: Want, state: ActState, release: dict[str, Any], host: Host) -> dict[str, str]:
    """Return all variables of the Act for a release, with secrets."""
    places = world.Places.of_player(state.paths, release["release"])
    plain = world.variables(
        want.act,
        state.paths.production.name,
        release["release"],
        release["settings"],
        places,
        want.address,
        host,
    )
    return {**plain, **secrets_of(want.act, state)}


def secrets_of(act: Act, state: ActState) -> dict[str, str]:
    """Return the Act's secrets; if none were given, those of its live Sess."""
    if act.secrets is not None:
        return act.secrets
    return {name: state.live_env[name] for name in state.live_record.get("secrets", []) if name in state.live_env}
