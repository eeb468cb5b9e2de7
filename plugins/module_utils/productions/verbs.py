# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan what is done to one Act alone: roll back, restart, stop, start, restore."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Callable, Optional

from ..acts import dumps
from ..acts import manager as acts
from ..acts.world import Address
from ..host import files
from ..host.errors import Refusal
from ..host.facts import Host
from ..manifest.nouns import Act, Sess
from ..stages import manager as sesses
from ..stages import restores, rollbacks, timers
from ..stages.interface import Front
from ..state.history import who
from ..state.plan import Change, Phase, Step
from ..state.read import ActState


@dataclass(frozen=True)
class One:
    """The Act that is named, and what its plan needs.

    Args:
        act: as the manifest says.
        sess: its Sess, where the manifest has one.
        state: what is on disk.
        address: where it will be reached.
        meanwhile: the same, and where nginx still passes something to it.
        host: the host's facts.
        warn: is told what people should know.
        front: what brings visitors to it.
        wants: takes what should be of it.
        hooks: returns the hooks that follow a switch.
        leaving: the version that several hosts leave in a rollback; empty for whatever plays here.
    """

    act: Act
    sess: Optional[Sess]
    state: ActState
    address: Address
    meanwhile: Address
    host: Host
    warn: Callable[[str], None]
    front: Front
    wants: dict[str, acts.Want]
    hooks: Callable[[Act, list[Change]], list[Change]]
    leaving: str = ""

    def sweep(self) -> list[Change]:
        return sesses.plan_sweep(self.state, self.host, self.warn, self.front)

    def plan(self, want: sesses.Want) -> list[Change]:
        self.wants[self.act.name] = want.act
        switch = sesses.plan(want, self.state, self.host, self.warn, self.front)
        return switch + self.hooks(self.act, switch)

    def timers(self, is_started: bool) -> list[Change]:
        return timers.plan(self.act.timers if is_started else (), self.state, self.host)


def plan(verb: str, one: One, release: str, keep_migrations: bool = False) -> list[Change]:
    """Plan the changes of one Act.

    Args:
        verb: of spec.VERBS.
        one: the Act.
        release: what a rollback or a restore goes back to; empty for the one that played before.
        keep_migrations: whether a rollback goes back to code that does not know all applied migrations.

    Raises:
        BackstageError: it can't be done.
    """
    if verb == "restore":
        return _restore(one, release)
    if verb != "stop":
        dumps.need_restored(one.state)
    if verb == "rollback":
        return _roll_back(one, release, keep_migrations)
    return {"restart": _restart, "stop": _stop, "start": _start}[verb](one)


def _roll_back(one: One, release: str, keep_migrations: bool) -> list[Change]:
    if one.leaving and one.state.live and rollbacks.version(one.state) != one.leaving:
        return rollbacks.plan_hold(one.act.name, one.state, one.leaving) + one.sweep()
    target = rollbacks.target(one.act.name, one.state, release)
    if target is None:
        return one.sweep()
    back = rollbacks.want(one.act, one.sess, one.address, one.state, target)
    if not keep_migrations:
        rollbacks.need_known_migrations(back.act, one.state, one.host)
    return acts.plan_unhold(back.act, one.state, one.host) + one.plan(back)


def _restart(one: One) -> list[Change]:
    """Plan another Sess of the release that plays, with today's variables and secrets."""
    name, live = one.act.name, one.state.live_release
    if not live:
        raise Refusal(f"act {name}: it does not play, so it can't be restarted; the playbook start plays it")
    return _play(one, live, ("restart",))


def _start(one: One) -> list[Change]:
    """Plan a Sess of the release that was deployed last; nothing if one plays."""
    state = one.state
    _need_startable(one)
    if state.live and state.live in state.started and not state.stopped:
        return one.sweep()
    return _play(one, state.live_release or _release(one.act, state), ("start",) if state.live else ())


def _stop(one: One) -> list[Change]:
    """Plan the end of the Sess. Deploys play none until the playbook start."""
    name, state = one.act.name, one.state
    if not state.exists:
        raise Refusal(f"act {name}: it is not on this host, so it can't be stopped")
    if not state.live and (state.stopped or one.sess is None or not one.sess.plays):
        return one.sweep()
    mark = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "by": who()}

    def make() -> None:
        if not state.stopped:
            files.write(state.paths.stopped, files.to_json(mark), 0o600)  # first: no run plays what was to stop
        sesses.stop_all(state, one.host, one.warn)

    before = {"release": state.live_release} if state.live else None
    step = Step("sess", name, "stop", before, {"until": "it is started"})
    return [*one.timers(False), Change(step, Phase.STOP, name, make), *one.sweep()]


def _restore(one: One, release: str) -> list[Change]:
    """Plan the databases of a dump, and the release that they belong to; nothing if both are there."""
    name, state = one.act.name, one.state
    dump = restores.find(name, state, release)
    is_done = restores.is_done(state, dump)
    if is_done and state.live_release == dump.release:
        return one.sweep()
    back = rollbacks.want(one.act, _need_startable(one), one.address, state, dump.release)
    back = replace(back, because=("restored",))
    again = restores.Restore(dump, back, state, one.host, one.warn, one.front)
    changes = [] if is_done else [again.plan()]
    return acts.plan_unhold(back.act, state, one.host) + changes + one.plan(back)


def _need_startable(one: One) -> Sess:
    if one.sess is None or not one.sess.plays:
        said = f"has the state {one.sess.state}" if one.sess else "has no Sess and no Gig"
        raise Refusal(f"act {one.act.name}: in the manifest it {said}; change that, and deploy")
    return one.sess


def _release(act: Act, state: ActState) -> str:
    """Return the release that was deployed last or, if it is held or not migrated, the one that played last."""
    deployed = state.record.get("release", "")
    ready = not act.migrate or state.history.migrated(deployed, act.database)
    found = [deployed] if ready and state.hold.get("release") != deployed else []
    found += [name for name in state.history.played() if name != state.hold.get("release")]
    for release in found:
        if release in state.releases:
            return release
    raise Refusal(f"act {act.name}: there is no release on this host that could be started; deploy it")


def _play(one: One, release: str, because: tuple[str, ...]) -> list[Change]:
    want = acts.Want(one.act, one.meanwhile, release, play=release)
    return one.plan(sesses.Want(_need_startable(one), want, because=because)) + one.timers(True)
