# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a run: everything of one Production on its host, compared with the manifest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from ..acts import graphs, hooks
from ..acts import manager as acts
from ..acts import removal as act_removal
from ..acts.databases import Databases
from ..acts.world import Address
from ..bookings import readiness, written
from ..bookings.booked_acts import Coming
from ..bookings.conflicts import Others
from ..bookings.manager import Bookings
from ..bookings.unbooked import Unbooked
from ..host import locks, run_log, vassals
from ..host.errors import BackstageError, Refusal
from ..host.facts import Host
from ..host.layout import HOST_LOCK, Production
from ..manifest import inputs, stage_kinds
from ..manifest.nouns import Act, Manifest, Sess
from ..stages import kinds, rollbacks, timers
from ..stages import manager as sesses
from ..stages.interface import Front
from ..state.history import who
from ..state.plan import Change, Phase, Step
from ..state.read import ActState, HostState, read
from . import renames
from .order import Order, Outcome


class Planner:
    """The state of a run: what it knows about its host, and what it will do there.

    Args:
        order: the input of the run.
        planning: whether nothing is changed, so that nothing has to be prepared.
    """

    def __init__(self, order: Order, planning: bool = False) -> None:
        self.order, self.planning = order, planning
        self.manifest = order.manifest
        self.paths = Production(order.manifest.production)
        self.host = Host.read()
        self.databases = Databases(self.paths.name, self.host, planning)
        self.state: HostState = read(self.paths.name, self.host)
        self.warnings: list[str] = []
        self.renames = self._renames() if order.build and not order.verb else {}
        if not order.verb:
            self._leave_stopped()
        self.changes: list[Change] = []
        self.others = Others(self.paths.name, self.host)
        self.written = written.read(self.paths.name, self.host)
        booked = self._bookings()
        self.addresses, self.meanwhile = booked.addresses(), booked.addresses_meanwhile()
        self.wants: dict[str, acts.Want] = {}
        self.refused: dict[str, BackstageError] = {}

    def plan(self) -> Outcome:
        missing: list[str] = []
        if self.order.verb:
            self.changes = self._plan_verb()
        else:
            if any(sess.plays for sess in self.manifest.sesses.values()):
                vassals.need_own(self.host.vassals)
            self._refuse({name: BackstageError(why, step="source") for name, why in self.order.unavailable.items()})
            self._refuse(renames.refused(self.manifest, self.state, self.order.through, self.renames))
            self._refuse(self._bookings().refused())
            self._refuse(kinds.refusals(self.manifest, self.host))
            wants = [self._want(act) for act in self.manifest.acts.values() if act.name not in self.refused]
            if self.order.through == "play":
                self._refuse(self._clashes(set(self.refused)))
            for want in wants if self.order.build else []:
                name = want.act.name
                if name not in self.refused and acts.needs_source(want, self.state.act(name)) and not want.archive:
                    missing.append(name)
            self._need_known_data()
            self.changes = self._plan_acts() + self._plan_bookings() + self._plan_strike()
            self._need_nginx()
        self.warnings += readiness.doubts(self._bookings(), self.refused)
        if self.planning:  # a run says so when the releases are built
            self._warn_of_migrations(self.state)
        self.changes.sort(key=lambda change: change.phase)
        return Outcome(
            steps=[change.step for change in self.changes],
            missing=[name for name in missing if name not in self.refused],
            warnings=self.warnings,
            errors=list(self.refused.values()),
            playing=self._playing(),
            unlisted=self._unlisted(),
        )

    def _renames(self) -> Mapping[str, renames.Rename]:
        return renames.find(self.manifest, self.state, self.databases, self.host, self.warnings.append)

    def _leave_stopped(self) -> None:
        """Whatever the manifest says, an Act that was stopped by its playbook stays so until it is started."""
        stopped = {name: act.stopped for name, act in self.state.acts.items() if act.stopped}
        sesses = dict(self.manifest.sesses)
        for name, mark in stopped.items():
            if name in sesses and sesses[name].plays:
                sesses[name] = replace(sesses[name], state="stopped")
                if self.order.through == "play":
                    since = f"at {mark['at']} by {mark['by']}"
                    self.warnings.append(f"act {name}: it was stopped {since}; the playbook start plays it again")
        self.manifest = replace(self.manifest, sesses=sesses)

    def _warn_of_migrations(self, state: HostState) -> None:
        """Warn of code that is older than its database."""
        for change in self.changes:
            want = self.wants.get(change.act)
            if want and change.step.noun == "sess" and change.phase == Phase.PLAY:
                said = graphs.warning(state.act(change.act), want.play, want.act.database)
                self.warnings += [f"act {change.act}: {said}"] if said else []

    def _refuse(self, found: dict[str, BackstageError]) -> None:
        for subject, error in found.items():
            name = f"act {subject}" if subject in self.manifest.acts else subject
            self.refused[subject] = BackstageError(error.message, name, error.step)

    def _need_nginx(self) -> None:
        """Leave out what could not be configured in nginx at the end."""
        refused = {} if self.order.private else readiness.refusals(self.changes, self._bookings(), self.planning)
        if not refused:
            return
        self._refuse(refused)
        if self.order.strike:  # what the Acts share can't be removed while one stays
            raise next(iter(self.refused.values()))
        stays = (change for change in self.changes if change.phase != Phase.BOOK)
        self.changes = [change for change in stays if change.act not in refused]

    def _clashes(self, left: set[str], act: str = "") -> dict[str, BackstageError]:
        """Return the Acts, or this one, that claim a URL of another Act. Only built releases tell."""
        coming = {
            name: Coming(want.play, self._address(name).path) for name, want in self.wants.items() if name not in left
        }
        return self._bookings(left, coming).clashes(act)

    def _address(self, act: str) -> Address:
        """Return where an Act will be reached."""
        return self.addresses.get(act, Address())

    def want(self, name: str) -> acts.Want:
        return self._want(self.manifest.acts[name])

    def _want(self, act: Act) -> acts.Want:
        """Return the wanted state of an Act. Its release is known before anything is built."""
        if act.name not in self.wants:
            self.wants[act.name] = self._wanted(act)
        return self.wants[act.name]

    def _wanted(self, act: Act) -> acts.Want:
        state = self.state.act(act.name)
        address = self._address(act.name)
        record = state.record
        found = self.order.resolved.get(act.name) or {
            "content": record.get("content", ""),
            "label": record.get("source", ""),
        }
        known: Optional[dict[str, Any]] = None
        release, digest = record.get("release", ""), record.get("digest", "")
        if self.order.build and found["content"]:
            sess = self.manifest.sesses.get(act.name, Sess(act.name))
            server = stage_kinds.server(sess.stage, sess.worker_class)
            path = self.order.paths.get(act.name, address.path)
            known = inputs.release_inputs(act, found["content"], path, server)
            release, digest = inputs.release_id(known, inputs.abi()), inputs.hold_digest(known)
        held = bool(state.hold) and state.hold.get("digest") == digest and act.name not in self.order.unhold
        play = self._held_release(act, state) if held else release
        return acts.Want(
            act=act,
            address=self.meanwhile.get(act.name, address) if self.order.through == "play" else address,
            release=release,
            content=found["content"],
            digest=digest,
            inputs=known,
            source=found["label"],
            archive=self.order.archives.get(act.name, ""),
            held=held,
            unhold=bool(state.hold) and not held,
            play=play,
            shared=act.name in self.order.shared,
        )

    def _held_release(self, act: Act, state: ActState) -> str:
        held = state.hold["release"]
        self.warnings.append(
            f"act {act.name}: release {held} was rolled back and is held; it plays again when the manifest names"
            f" another source, or with -e backstage_unhold={act.name}"
        )
        others = [name for name in state.history.played() if name != held and name in state.releases]
        return state.live_release or (others[0] if others else "")

    def _plan_acts(self) -> list[Change]:
        changes: list[Change] = []
        for act in self.manifest.acts.values():
            if act.name in self.refused:
                continue
            state = self.state.act(act.name)
            if act.state == "absent":
                changes += self._plan_removal(act.name)
                continue
            want = self._want(act)
            sess_changes = self._plan_sess(want, state) if self.order.through == "play" else []
            if act.name in self.renames:
                changes.append(self.renames[act.name].change())
            if self.order.build:
                changes += self._plan_act(
                    want, state, any(change.phase in (Phase.PLAY, Phase.STOP) for change in sess_changes)
                )
            if act.name not in self.refused:
                changes += sess_changes + self._plan_hooks(act, sess_changes) + self._plan_timers(act, state)
        if self.order.prune:
            for name in self._acts_left():
                changes += self._plan_removal(name)
        return changes

    def _plan_hooks(self, act: Act, switches: list[Change]) -> list[Change]:
        """Return the hooks after a switch. A rehearsal runs none."""
        is_switched = any(change.phase in (Phase.PLAY, Phase.LEAVE) for change in switches)
        return hooks.after_switch(act, self.paths.name) if is_switched and not self.order.private else []

    def _plan_timers(self, act: Act, state: ActState) -> list[Change]:
        """Plan the timers of an Act, which run while its Sess is started."""
        sess = self.manifest.sesses.get(act.name)
        if self.order.private or self.order.through != "play" or not (sess or self.order.prune):
            return []
        is_started = sess is not None and sess.plays and not state.stopped
        return timers.plan(act.timers if is_started else (), state, self.host)

    def _plan_sess(self, want: acts.Want, state: ActState) -> list[Change]:
        name = want.act.name
        sess = self.manifest.sesses.get(name)
        if sess is None:
            return sesses.plan_removal(name, state, self.host, self.warnings.append) if self.order.prune else []
        if sess.state == "absent":
            return sesses.plan_removal(name, state, self.host, self.warnings.append)
        after = self._address(name)
        leaves = bool(state.live) and after != want.address
        wish = sesses.Want(sess, want, after=after if leaves else None)
        return sesses.plan(wish, state, self.host, self.warnings.append, self._front)

    @property
    def _front(self) -> Front:
        return Front(self._ask, self._lead)

    def _lead(self, act: str, release: str, path: str, protocol: str) -> None:
        """Have nginx ask at the door of an Act by another protocol, before the switch."""
        if self.host.has_front_of_house and not self.order.private:
            self._serve(act, Coming(release, path, protocol))

    def _serve(self, act: str, coming: Coming) -> None:
        """Have nginx serve what an Act is about to play beside what it plays."""
        nothing_else = Manifest(self.manifest.production, self.manifest.acts)
        both = Bookings(nothing_else, self.state, self.host, coming={act: coming})
        with locks.held(HOST_LOCK, who(), self.order.lock_timeout, tell) as waited:
            self.warnings += waited
            refused = both.apply()
            self.written = written.read(self.paths.name, self.host)
        for error in refused.values():
            raise error

    def _ask(self, act: Act) -> None:
        """Request an Act as its visitors would."""
        from ..bookings import visit

        visit.ask_booked(act, self.paths.act(act.name), self.host)

    def _plan_act(self, want: acts.Want, state: ActState, switches: bool) -> list[Change]:
        name = want.act.name
        try:
            return acts.plan(want, state, self.host, self.databases, self.order.through, self.order.seeds, switches)
        except BackstageError as error:
            self.refused[name] = BackstageError(error.message, f"act {name}", error.step)
            return []

    def _plan_removal(self, name: str) -> list[Change]:
        state = self.state.act(name)
        removal = timers.plan((), state, self.host)
        removal += sesses.plan_removal(name, state, self.host, self.warnings.append)
        try:
            return removal + act_removal.plan(name, state, self.databases, name in self.order.delete_data)
        except BackstageError as error:
            self.refused[name] = BackstageError(error.message, f"act {name}", error.step)
            if self.order.strike:  # what the Acts share can't be removed while one stays
                raise self.refused[name] from None
            return []

    def _acts_left(self) -> list[str]:
        """Return the Acts on this host that the manifest does not name."""
        return [
            name
            for name, state in sorted(self.state.acts.items())
            if name not in self.manifest.acts and (state.exists or name in self.order.delete_data)
        ]

    def _unlisted(self) -> list[str]:
        """Return what is on the host but not in the manifest. It is shown, and removed when pruning."""
        if self.order.prune or not self.order.whole:
            return []
        left = [f"act {name}" for name in self._acts_left()] + self._bookings().unlisted()
        for name, act in self.manifest.acts.items():
            if act.state == "present" and name not in self.manifest.sesses and self.state.act(name).live:
                left.append(f"sess {name}")
        return left

    def _plan_bookings(self) -> list[Change]:
        return self._bookings(set(self.refused)).plan() if self.order.through == "play" else []

    def _bookings(self, left: Optional[set[str]] = None, coming: Optional[dict[str, Coming]] = None) -> Bookings:
        kind = Unbooked if self.order.private else Bookings
        known = self.manifest, self.state, self.host, self.order.prune
        return kind(*known, left or set(), coming or {}, self.others, self.written)

    def _need_known_data(self) -> None:
        for name in sorted(self.order.delete_data):
            act = self.manifest.acts.get(name)
            if act and act.state == "present":
                raise Refusal(f"backstage_delete_data: '{name}' is present; make it absent first, its data is in use")
            if not act and not self.order.strike and not self.state.act(name).has_data:
                # the second of two runs: already done, but still a warning, because it may be a typing error
                self.warnings.append(f"backstage_delete_data: '{name}' has no data on this host")

    def _plan_strike(self) -> list[Change]:
        if not self.order.strike or not os.path.isdir(self.paths.root):
            return []
        from . import strike

        step = Step("production", self.paths.name, "strike", self.paths.root)
        return [Change(step, Phase.TIDY, "", lambda: strike.strike(self.paths, self.order.private))]

    def _playing(self) -> dict[str, Any]:
        """Return what plays, with the version of the Act that is asked for."""
        found = playing(self.state)
        if self.order.act in found:
            found[self.order.act]["version"] = rollbacks.version(self.state.act(self.order.act))
        return found

    def _plan_verb(self) -> list[Change]:
        from . import verbs

        name = self.order.act
        one = verbs.One(
            act=self.manifest.acts[name],
            sess=self.manifest.sesses.get(name),
            state=self.state.act(name),
            address=self._address(name),
            meanwhile=self.meanwhile.get(name, self._address(name)),
            host=self.host,
            warn=self.warnings.append,
            front=self._front,
            wants=self.wants,
            hooks=self._plan_hooks,
            leaving=self.order.leaving,
        )
        return verbs.plan(self.order.verb, one, self.order.release, self.order.keep_migrations)


def tell(said: str) -> None:
    """Tell people who read along what the whole run does."""
    run_log.note("", said)


def playing(state: HostState) -> dict[str, Any]:
    """Return what plays: Act -> release, Sess, and since when."""
    return {
        name: {"release": act.live_release, "sess": act.live, "since": act.history.since(act.live)}
        for name, act in sorted(state.acts.items())
        if act.live
    }
