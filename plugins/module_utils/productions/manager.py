# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Production manager: reads a host, plans everything of one Production, and applies it in one call."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Optional

from ..acts import manager as acts
from ..acts import url_prefixes, world
from ..bookings import issued, written
from ..bookings.booked_acts import Coming
from ..bookings.conflicts import Others
from ..host import files, locks, run_log
from ..host.caller import check as need_caller
from ..host.errors import BackstageError, as_told
from ..host.facts import Host
from ..host.layout import HOST_LOCK, Production
from ..host.names import REHEARSAL
from ..stages import kinds
from ..stages import manager as sesses
from ..state.history import who
from ..state.plan import Change, Phase
from ..state.read import HostState, read
from . import playbill, side_by_side, spool
from .order import Order, Outcome
from .planner import Planner, playing, tell

PHASED = ("build", "play", "roll back")
"""Steps with phases of their own."""


def check(order: Order) -> Outcome:
    """Plan only. It takes no lock and changes nothing."""
    return Planner(order, planning=True).plan()


def reconcile(order: Order) -> Outcome:
    """Make this host match the manifest.

    Raises:
        BackstageError: nothing could be done. Failures of single Acts are in the outcome's errors.
    """
    paths = Production(order.manifest.production)
    if not os.path.isdir(paths.root):
        planned = check(order)
        if order.strike:
            from . import rehearsal_cache

            rehearsal_cache.sweep(last=rehearsal_cache.is_last())
        if not planned.steps or (planned.missing and not order.shipped):
            return planned
        Host.read().need_stage()
        files.directory(paths.root)
    with locks.held(paths.lock, who(), order.lock_timeout, tell) as waited:
        outcome = carry_out(order)
    return replace(outcome, warnings=[*waited, *outcome.warnings])


def carry_out(order: Order) -> Outcome:
    """Reconcile while the caller holds the Production's lock."""
    paths = Production(order.manifest.production)
    try:
        run = _Run(replace(order, archives=spool.take_in(paths, order.shipped)))
        outcome = run.plan()
        if not outcome.missing:
            with run_log.kept(who(), run.log):
                run.apply(outcome)
    finally:
        spool.sweep(paths)
    return outcome


def ask(order: Order, act: str, mode: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of act_steps in an Act's release, as its player. The Act need not play."""
    run = Planner(order, planning=True)
    return acts.ask(run.want(act), run.state.act(act), run.host, mode, options)


def wanted_release(order: Order, act: str) -> str:
    """Return the id of the release that an order asks for."""
    return Planner(order, planning=True).want(act).release


class _Run(Planner):
    """A run that applies its plan."""

    certifying: AbstractSet[str] = frozenset()
    """The Venues for which an authority is to be asked."""
    asking_later: AbstractSet[str] = frozenset()
    """Those of them that it has to be asked for after the run, when their records are in DNS."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.done = playbill.Done()

    def log(self, act: str) -> Optional[str]:
        """Return where the steps of an Act are recorded. One that has no directory any more has no log, either."""
        own = self.paths.act(act)
        return own.run_log if os.path.isdir(own.root) and not self.order.private else None

    def apply(self, outcome: Outcome) -> None:
        """Apply the changes. The failure of one Act ends only that Act's changes."""
        failed = dict(self.refused)
        if self.changes:
            gc.enable()  # a build may take long
        fresh = {name for name, state in self.state.acts.items() if not state.live}
        early = [change for change in self.changes if change.phase < Phase.BOOK]
        late = [change for change in self.changes if change.phase > Phase.BOOK]
        self._make([change for change in early if change.phase < Phase.BUILD], failed)
        run = side_by_side.Run(self.state, self.warnings, self.done, self._make)
        side_by_side.make(run, [change for change in early if change.phase in side_by_side.PHASES], failed)
        self._make([change for change in early if change.phase > Phase.MIGRATE], failed)
        if any(change.phase == Phase.BOOK for change in self.changes) or self._url_changed(early, failed):
            self._book(failed, fresh)
        self._certify(failed)
        # as long as nginx may pass a Venue to an Act, that Act answers for it
        self._make([change for change in late if not (failed and change.phase == Phase.LEAVE)], failed)
        if not failed and self._url_changed(late, failed):
            self._book(failed, set())
        after = read(self.paths.name, self.host) if self.changes else self.state
        if not failed and not self.order.private:  # a rehearsal keeps some for the next one
            releases = [release for state in after.acts.values() for release in state.releases.values()]
            _sweep_environments(self.paths, {release["environment"] for release in releases})
        _sweep_rehearsals()
        kinds.sweep(self.paths.name, self.host)
        self._warn_of_releases(after)
        outcome.errors = list(failed.values())
        outcome.warnings = self.warnings
        outcome.playing = playing(after)
        outcome.asking = [f"{self.paths.name}.{venue}" for venue in sorted(self.asking_later)]
        self.done.failed.update({name: error.step for name, error in failed.items()})
        outcome.playbill = playbill.of(self.manifest, after, self.host, self.done, self.order.act)

    def _warn_of_releases(self, after: HostState) -> None:
        """Repeat the warnings of a build whenever the release is built or played, but not if nothing has to be done."""
        made = {change.act for change in self.changes if change.step.verb in ("build", "play", "roll back")}
        for name in sorted(made & set(self.wants)):
            release = after.act(name).releases.get(self.wants[name].play, {})
            self.warnings += [f"act {name}: {warning}" for warning in release.get("warnings", [])]
        self._warn_of_migrations(after)

    def _make(self, changes: list[Change], failed: dict[str, BackstageError]) -> None:
        """Apply changes one by one. What fails, and the rest of its Act, is left out."""
        for change in changes:
            if change.act in failed or change.make is None:
                continue
            need_caller()
            if change.step.verb not in PHASED:
                run_log.phase(change.act, change.step.verb)
            before, began = self._secrets(change.act), time.monotonic()
            try:
                if change.step.noun == "sess" and change.phase in (Phase.PLAY, Phase.LEAVE):
                    self._make_way(change, set(failed))
                change.make()
                self._note(change)
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is this Act's failure and nobody else's
                from ..host import masks

                told = as_told(error)
                step, secrets = told.step or change.step.verb, [*before, *self._secrets(change.act)]
                said, log = masks.mask(told.message, secrets), masks.mask(told.log, secrets)
                failed[change.act] = BackstageError(said, f"act {change.act}", step, log)
                self._tell(change.act, f"FAILED: {step}: {said}")
            finally:
                run_log.end()
                taken = self.done.seconds.get(change.act, 0)
                self.done.seconds[change.act] = taken + time.monotonic() - began

    def _note(self, change: Change) -> None:
        """Record what a change means for the Act, for people who read along and for the playbill."""
        step, act = change.step, change.act
        if step.verb == "build":
            self.done.built[act] = step.after
        elif step.verb in ("play", "roll back"):
            self.done.switched.add(act)
            self._tell(act, f"release {step.after['release']} plays")

    def _tell(self, act: str, said: str) -> None:
        """Record a note, but not of a rehearsal, which tells its own."""
        if not self.order.private:
            run_log.note(act, said)

    def _secrets(self, act: str) -> list[str]:
        """Return the values to mask in errors of an Act. no_log knows neither passwords in URLs nor earlier secrets."""
        if act not in self.wants:
            return []
        wanted = self.wants[act].act
        live = acts.secrets_of(replace(wanted, secrets=None), self.state.act(act))
        of_seeds = [value for seed in wanted.seed for value in seed.secrets.values()]
        return [*live.values(), *(wanted.secrets or {}).values(), *of_seeds, wanted.index.password]

    def _make_way(self, change: Change, failed: set[str]) -> None:
        """Refuse URLs of other Acts before a switch. If the Act's own URLs change, serve the old and the new ones."""
        act = change.act
        state, want = self.state.act(act), self.wants.get(act)
        if want is None or want.play not in state.releases or self.order.private:
            return
        for clash in self._clashes(failed, act).values():
            raise clash
        path = (want.address if change.phase == Phase.PLAY else self._address(act)).path
        before, after = state.releases.get(state.live_release or ""), state.releases[want.play]
        if before and _served(before, world.path(state.live_env)) != _served(after, path):
            self._serve(act, Coming(want.play, path))

    def _url_changed(self, changes: list[Change], failed: dict[str, BackstageError]) -> bool:
        """Return whether a switch changed what nginx needs to know, which only the build could find out."""
        switched = any(change.phase in (Phase.PLAY, Phase.LEAVE) for change in changes)
        return switched and bool(self._bookings(set(failed)).plan())

    def _book(self, failed: dict[str, BackstageError], fresh: set[str]) -> None:
        run_log.phase("", "nginx")
        try:
            with locks.held(HOST_LOCK, who(), self.order.lock_timeout, tell) as waited:
                self.warnings += waited
                self.others = Others(self.paths.name, self.host)  # others may have been added meanwhile
                self.written = written.read(self.paths.name, self.host)
                bookings = self._bookings(set(failed))
                refused = bookings.apply()
                self.certifying = bookings.encryption.issued.asking
                if self.order.dns_follows:
                    self.asking_later = self.certifying & bookings.encryption.issued.by_dns
                self.written = written.read(self.paths.name, self.host)
        except (BackstageError, OSError) as problem:
            error = as_told(problem)
            failed[""] = BackstageError(error.message, "bookings", error.step or "booking", error.log)
            refused = dict.fromkeys((name for name in self.manifest.acts if self._is_new(name, fresh)), error)
        for name, cause in refused.items():
            subject = f"act {name}" if name in self.manifest.acts else name
            failed.setdefault(name, BackstageError(cause.message, subject, cause.step, cause.log))
            if self._is_new(name, fresh):
                # a first deploy that no visitor can reach is undone
                sesses.stop_all(self.state.act(name), self.host, self.warnings.append)

    def _certify(self, failed: dict[str, BackstageError]) -> None:
        """Have an authority asked for certificates. What does not come of it is a warning: the Venues are served."""
        if self.certifying:
            need_caller()
            run_log.phase("", "certify")
            try:
                self.warnings += issued.ask(self.host, self.paths.name, self.certifying - self.asking_later)
            except BackstageError as error:
                failed["certificates"] = BackstageError(error.message, "certificates", error.step, error.log)
            self.written = written.read(self.paths.name, self.host)

    def _is_new(self, name: str, fresh: set[str]) -> bool:
        sess = self.manifest.sesses.get(name)
        reached = bool(self.manifest.gigs_of(name)) or bool(sess and sess.port)
        return name in self.manifest.acts and name in fresh and bool(self.state.act(name).live) and reached


def _served(release: dict[str, Any], path: str) -> object:
    """Return what nginx has to know of the URLs of a release."""
    return url_prefixes.urls(release, path), url_prefixes.app_urls(release, path)


def _sweep_environments(paths: Production, used: set[str]) -> None:
    """Remove the environments that no release names."""
    if set(files.names_in(paths.environments)) - used:
        from ..acts import environments

        environments.sweep(paths, used)


def _sweep_rehearsals() -> None:
    """Remove what rehearsals have kept for long."""
    if os.path.isdir(Production(REHEARSAL).root):
        from . import rehearsal_cache

        rehearsal_cache.sweep()
