# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Production manager: reads a host, plans everything of one Production, and applies it in one call."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Optional

from ..acts import environments, world
from ..acts import manager as acts
from ..acts.databases import Databases
from ..acts.world import Address
from ..bookings import locations, readiness
from ..bookings.conflicts import Others
from ..bookings.manager import Bookings, Coming
from ..bookings.unbooked import Unbooked
from ..host import files, locks, masks, run_log, vassals
from ..host.caller import check as need_caller
from ..host.errors import BackstageError, Refusal, as_told
from ..host.facts import Host
from ..host.layout import HOST_LOCK, Production
from ..manifest import inputs
from ..manifest.nouns import Act, Manifest
from ..stages import manager as sesses
from ..stages import rollbacks
from ..stages.uwsgi import sweep_drafts
from ..state.history import who
from ..state.plan import Change, Phase, Step
from ..state.read import ActState, HostState, read
from . import rehearsal_cache, spool, strike
from .order import Order, Outcome


def check(order: Order) -> Outcome:
    """Plan only: takes no lock, changes nothing."""
    return _Run(order, planning=True).plan()


def reconcile(order: Order) -> Outcome:
    """Make this host what the manifest says.

    Raises:
        BackstageError: nothing could be done at all. What concerns one Act is in the outcome's errors.
    """
    paths = Production(order.manifest.production)
    if not os.path.isdir(paths.root):
        planned = check(order)
        if order.strike:
            rehearsal_cache.sweep(last=rehearsal_cache.is_last())
        if not planned.steps or (planned.missing and not order.shipped):
            return planned
        Host.read().need_stage()
        files.directory(paths.root)
    with locks.held(paths.lock, who(), order.lock_timeout) as waited:
        outcome = carry_out(order)
    return replace(outcome, warnings=[*waited, *outcome.warnings])


def carry_out(order: Order) -> Outcome:
    """The same, where the Production's lock is held already."""
    paths = Production(order.manifest.production)
    try:
        run = _Run(replace(order, archives=spool.take_in(paths, order.shipped)))
        outcome = run.plan()
        if not outcome.missing:
            run.apply(outcome)
    finally:
        spool.sweep(paths)
    return outcome


def ask(order: Order, act: str, mode: str, options: dict[str, Any]) -> dict[str, Any]:
    """Have an Act's release answer a question of act_steps, as its player: it need not play."""
    run = _Run(order, planning=True)
    return acts.ask(run.want(act), run.state.act(act), run.host, mode, options)


def wanted_release(order: Order, act: str) -> str:
    """The id of the release that an order asks for."""
    return _Run(order, planning=True).want(act).release


class _Run:
    def __init__(self, order: Order, planning: bool = False) -> None:
        self.order, self.planning = order, planning
        self.manifest = order.manifest
        self.paths = Production(order.manifest.production)
        self.host = Host.read()
        self.databases = Databases(self.paths.name, self.host, planning)
        self.state: HostState = read(self.paths.name, self.host)
        self.warnings: list[str] = []
        self.changes: list[Change] = []
        self.others = Others(self.paths.name, self.host)
        booked = self._bookings()
        self.addresses, self.meanwhile = booked.addresses(), booked.addresses_meanwhile()
        self.wants: dict[str, acts.Want] = {}
        self.refused: dict[str, BackstageError] = {}

    def plan(self) -> Outcome:
        missing: list[str] = []
        if self.order.rollback:
            self.changes = self._plan_rollback()
        else:
            if any(sess.state == "started" for sess in self.manifest.sesses.values()):
                vassals.need_own(self.host.vassals)
            self._refuse({name: BackstageError(why, step="source") for name, why in self.order.unavailable.items()})
            self._refuse(self._bookings().refused())
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
        self.changes.sort(key=lambda change: change.phase)
        return Outcome(
            steps=[change.step for change in self.changes],
            missing=[name for name in missing if name not in self.refused],
            warnings=self.warnings,
            errors=list(self.refused.values()),
            playing=playing(self.state),
            unlisted=self._unlisted(),
        )

    def _refuse(self, found: dict[str, BackstageError]) -> None:
        for subject, error in found.items():
            name = f"act {subject}" if subject in self.manifest.acts else subject
            self.refused[subject] = BackstageError(error.message, name, error.step)

    def _need_nginx(self) -> None:
        """Leave out what nginx could not be told in the end."""
        refused = {} if self.order.private else readiness.refusals(self.changes, self._bookings(), self.planning)
        if not refused:
            return
        self._refuse(refused)
        if self.order.strike:  # what the others share can't go while one stays
            raise next(iter(self.refused.values()))
        stays = (change for change in self.changes if change.phase != Phase.BOOK)
        self.changes = [change for change in stays if change.act not in refused]

    def _clashes(self, left: set[str], act: str = "") -> dict[str, BackstageError]:
        """The Acts, or this one, that claim a URL of another one: known when their releases are built."""
        coming = {
            name: Coming(want.play, self._address(name).path) for name, want in self.wants.items() if name not in left
        }
        return self._bookings(left, coming).clashes(act)

    def _address(self, act: str) -> Address:
        """Where an Act will be reached."""
        return self.addresses.get(act, Address())

    def want(self, name: str) -> acts.Want:
        return self._want(self.manifest.acts[name])

    def _want(self, act: Act) -> acts.Want:
        """What should be of an Act: its release is known before anything is built."""
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
            known = inputs.release_inputs(act, found["content"], self.order.paths.get(act.name, address.path))
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
            if self.order.build:
                changes += self._plan_act(
                    want, state, any(change.phase in (Phase.PLAY, Phase.STOP) for change in sess_changes)
                )
            if act.name not in self.refused:
                changes += sess_changes
        if self.order.prune:
            for name in self._acts_left():
                changes += self._plan_removal(name)
        return changes

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
        return sesses.plan(wish, state, self.host, self.warnings.append)

    def _plan_act(self, want: acts.Want, state: ActState, switches: bool) -> list[Change]:
        name = want.act.name
        try:
            return acts.plan(want, state, self.host, self.databases, self.order.through, self.order.seeds, switches)
        except BackstageError as error:
            self.refused[name] = BackstageError(error.message, f"act {name}", error.step)
            return []

    def _plan_removal(self, name: str) -> list[Change]:
        state = self.state.act(name)
        removal = sesses.plan_removal(name, state, self.host, self.warnings.append)
        try:
            return removal + acts.plan_removal(name, state, self.databases, name in self.order.delete_data)
        except BackstageError as error:
            self.refused[name] = BackstageError(error.message, f"act {name}", error.step)
            if self.order.strike:  # what the others share can't go while one stays
                raise self.refused[name] from None
            return []

    def _acts_left(self) -> list[str]:
        """Acts on this host that the manifest does not name."""
        return [
            name
            for name, state in sorted(self.state.acts.items())
            if name not in self.manifest.acts and (state.exists or name in self.order.delete_data)
        ]

    def _unlisted(self) -> list[str]:
        """What plays or lies here and is not in the manifest any more: shown, and removed when asked to prune."""
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
        return kind(*known, left or set(), coming or {}, self.others)

    def _need_known_data(self) -> None:
        for name in sorted(self.order.delete_data):
            act = self.manifest.acts.get(name)
            if act and act.state == "present":
                raise Refusal(f"backstage_delete_data: '{name}' is present; make it absent first, its data is in use")
            if not act and not self.order.strike and not self.state.act(name).has_data:
                # the second of two runs: done already, and still said, for it may be a typing error
                self.warnings.append(f"backstage_delete_data: '{name}' has no data on this host")

    def _plan_strike(self) -> list[Change]:
        if not self.order.strike or not os.path.isdir(self.paths.root):
            return []
        step = Step("production", self.paths.name, "strike", self.paths.root)
        return [Change(step, Phase.TIDY, "", lambda: strike.strike(self.paths, self.order.private))]

    def _plan_rollback(self) -> list[Change]:
        act = self.manifest.acts[self.order.rollback]
        state = self.state.act(act.name)
        target = rollbacks.target(act.name, state, self.order.release)
        if target is None:
            return sesses.plan_sweep(state, self.host, self.warnings.append)
        back = rollbacks.want(act, self.manifest.sesses.get(act.name), self._address(act.name), state, target)
        self.wants[act.name] = back.act
        unhold = acts.plan_unhold(back.act, state, self.host)
        return unhold + sesses.plan(back, state, self.host, self.warnings.append)

    def apply(self, outcome: Outcome) -> None:
        """Make the changes; one Act's failure ends that Act's and no other's."""
        failed = dict(self.refused)
        fresh = {name for name, state in self.state.acts.items() if not state.live}
        early = [change for change in self.changes if change.phase < Phase.BOOK]
        late = [change for change in self.changes if change.phase > Phase.BOOK]
        self._make(early, failed)
        if any(change.phase == Phase.BOOK for change in self.changes) or self._url_changed(early, failed):
            self._book(failed, fresh)
        # while nginx may still pass a Venue to an Act, that Act answers for it
        self._make([change for change in late if not (failed and change.phase == Phase.LEAVE)], failed)
        if not failed and self._url_changed(late, failed):
            self._book(failed, set())
        after = read(self.paths.name, self.host)
        if not failed and not self.order.private:  # a rehearsal keeps some for the next one
            releases = [release for state in after.acts.values() for release in state.releases.values()]
            environments.sweep(self.paths, {release["environment"] for release in releases})
        rehearsal_cache.sweep()
        sweep_drafts(self.paths.name, self.host.vassals)
        self._warn_of_releases(after)
        outcome.errors = list(failed.values())
        outcome.warnings = self.warnings
        outcome.playing = playing(after)

    def _warn_of_releases(self, after: HostState) -> None:
        """What a build found, said again whenever the release is built or played: not where nothing is to be done."""
        made = {change.act for change in self.changes if change.step.verb in ("build", "play", "roll back")}
        for name in sorted(made & set(self.wants)):
            release = after.act(name).releases.get(self.wants[name].play, {})
            self.warnings += [f"act {name}: {warning}" for warning in release.get("warnings", [])]

    def _make(self, changes: list[Change], failed: dict[str, BackstageError]) -> None:
        for change in changes:
            if change.act in failed or change.make is None:
                continue
            need_caller()
            run_log.phase(change.act, change.step.verb)
            try:
                if change.step.noun == "sess" and change.phase in (Phase.PLAY, Phase.LEAVE):
                    self._make_way(change, set(failed))
                change.make()
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is this Act's failure and nobody else's
                told = as_told(error)
                step, secrets = told.step or change.step.verb, self._secrets(change.act)
                said, log = masks.mask(told.message, secrets), masks.mask(told.log, secrets)
                failed[change.act] = BackstageError(said, f"act {change.act}", step, log)

    def _secrets(self, act: str) -> list[str]:
        """What is in no error of an Act: no_log knows nothing of a password in a URL, and of secrets not given now."""
        if act not in self.wants:
            return []
        wanted = self.wants[act].act
        live = acts.secrets_of(replace(wanted, secrets=None), self.state.act(act))
        of_seeds = [value for seed in wanted.seed for value in seed.secrets.values()]
        return [*live.values(), *(wanted.secrets or {}).values(), *of_seeds, wanted.index.password]

    def _make_way(self, change: Change, failed: set[str]) -> None:
        """Before a switch: refuse URLs of another Act's, and where the Act's own change, serve the old and the new."""
        act = change.act
        state, want = self.state.act(act), self.wants.get(act)
        if want is None or want.play not in state.releases or self.order.private:
            return
        for clash in self._clashes(failed, act).values():
            raise clash
        path = (want.address if change.phase == Phase.PLAY else self._address(act)).path
        before, after = state.releases.get(state.live_release or ""), state.releases[want.play]
        if before and locations.urls(before, world.path(state.live_env)) != locations.urls(after, path):
            nothing_else = Manifest(self.manifest.production, self.manifest.acts)
            both = Bookings(nothing_else, self.state, self.host, coming={act: Coming(want.play, path)})
            with locks.held(HOST_LOCK, who(), self.order.lock_timeout) as waited:
                self.warnings += waited
                refused = both.apply()
            for error in refused.values():
                raise error

    def _url_changed(self, changes: list[Change], failed: dict[str, BackstageError]) -> bool:
        """Whether a switch changed what nginx has to know, which only the build could tell."""
        switched = any(change.phase in (Phase.PLAY, Phase.LEAVE) for change in changes)
        return switched and bool(self._bookings(set(failed)).plan())

    def _book(self, failed: dict[str, BackstageError], fresh: set[str]) -> None:
        try:
            with locks.held(HOST_LOCK, who(), self.order.lock_timeout) as waited:
                self.warnings += waited
                self.others = Others(self.paths.name, self.host)  # others may have come meanwhile
                refused = self._bookings(set(failed)).apply()
        except (BackstageError, OSError) as problem:
            error = problem if isinstance(problem, BackstageError) else BackstageError(str(problem), step="booking")
            failed[""] = BackstageError(error.message, "bookings", error.step, error.log)
            refused = dict.fromkeys((name for name in self.manifest.acts if self._is_new(name, fresh)), error)
        for name, cause in refused.items():
            subject = f"act {name}" if name in self.manifest.acts else name
            failed.setdefault(name, BackstageError(cause.message, subject, cause.step, cause.log))
            if self._is_new(name, fresh):
                # a first deploy that no visitor can reach is taken back
                sesses.stop_all(self.state.act(name), self.host, self.warnings.append)

    def _is_new(self, name: str, fresh: set[str]) -> bool:
        sess = self.manifest.sesses.get(name)
        reached = bool(self.manifest.gigs_of(name)) or bool(sess and sess.port)
        return name in self.manifest.acts and name in fresh and bool(self.state.act(name).live) and reached


def playing(state: HostState) -> dict[str, Any]:
    """What plays: Act -> release, Sess and since when."""
    return {
        name: {"release": act.live_release, "sess": act.live, "since": act.history.since(act.live)}
        for name, act in sorted(state.acts.items())
        if act.live
    }
