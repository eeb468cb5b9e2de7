# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The target of a rollback, and the hold that it leaves."""

from __future__ import annotations

import json
import shlex
from typing import Optional

from ..acts import dumps, graphs
from ..acts import manager as acts
from ..acts.world import Address
from ..host import files
from ..host.errors import BackstageError, Refusal
from ..host.facts import Host
from ..manifest import inputs
from ..manifest.nouns import Act, Sess
from ..state.plan import Change, Phase, Step
from ..state.read import ActState
from . import manager as sesses
from . import standbys


def target(name: str, state: ActState, release: str) -> Optional[str]:
    """Return the release to go back to; None if it already plays.

    Args:
        name: the Act.
        state: the Act on disk.
        release: the requested release; empty for the one that played before.

    Raises:
        Refusal: there is none.
    """
    if not state.live:
        raise Refusal(f"act {name}: it does not play, so there is nothing to roll back")
    if _was_interrupted(state) or release == state.live_release:
        return None
    found = release or _previous(name, state)
    if found not in state.releases:
        known = ", ".join(sorted(state.releases))
        raise Refusal(f"act {name}: there is no release {found} on this host; known: {known}")
    return found


def want(act: Act, sess: Optional[Sess], address: Address, state: ActState, release: str) -> sesses.Want:
    """Return the Sess of an earlier release with the current configuration, and the hold that it leaves.

    Raises:
        Refusal: the Act should have no Sess.
    """
    if sess is None or not sess.plays:
        raise Refusal(f"act {act.name}: it has no started Sess that could be rolled back")
    # the release that the manifest asks for needs no hold, because the next run would play it anyway
    forward = release == state.record.get("release")
    # a second rollback goes further back, and the first hold stays
    left = state.live_release or state.record.get("release", "")
    hold = state.hold or {"release": left, "digest": state.record.get("digest", "")}
    played = acts.Want(act, address, release, unhold=forward and bool(state.hold), play=release)
    return sesses.Want(sess, played, None if forward else hold, back=True)


def version(state: ActState) -> str:
    """Return the digest of what the release that plays is made from.

    It is the same on hosts with another Python, where the release has another id. It is empty if nothing plays.
    """
    known = state.releases.get(state.live_release or "", {}).get("inputs")
    return inputs.hold_digest(known) if known else ""


def plan_hold(name: str, state: ActState, leaving: str) -> list[Change]:
    """Return the hold of a version that other hosts leave, on a host that has built it and does not play it."""
    release = state.record.get("release", "")
    if state.hold or state.record.get("digest") != leaving:
        return []

    def make() -> None:
        files.write(state.paths.hold, files.to_json({"release": release, "digest": leaving}), 0o600)
        state.history.add("held", release=release)

    return [Change(Step("act", name, "hold", None, release), Phase.RECORD, name, make)]


def _was_interrupted(state: ActState) -> bool:
    """Return whether a rollback was killed after its switch, so that the old Sess still plays beside the live one."""
    draining = {sess for sess in state.crews if sess not in state.started}
    left = state.all_sesses - {state.live, standbys.of(state)} - draining
    return bool(state.hold) and any(sess.split(".")[0] == state.hold["release"] for sess in left)


def _previous(name: str, state: ActState) -> str:
    """Return the release that played before the live one, from the history; never one that was rolled back."""
    passed = {state.live_release, state.hold.get("release")}
    for release in state.history.played():
        if release in state.releases and release not in passed:
            return release
    raise Refusal(f"act {name}: there is no earlier release to roll back to")


def need_known_migrations(want: acts.Want, state: ActState, host: Host) -> None:
    """Refuse a release whose code is older than the database.

    The database is asked only if runs applied migrations that the release does not know: asking takes time.

    Raises:
        Refusal: the database has migrations that the release does not know.
        BackstageError: the database does not tell.
    """
    known = graphs.of_release(state.releases[want.play])
    others = [graphs.of_release(release) for release in state.releases.values()]
    supposed = graphs.supposed(state, want.act.database)
    if known is None or not graphs.newer(supposed, known, others):
        return  # an earlier Backstage built it, or nothing newer was ever applied
    anyway = "roll back with -e migrations=keep"
    try:
        answer = acts.ask(want, state, host, "applied", {}, fill=False)
    except BackstageError as error:
        said = f"its database does not say which migrations it has: {error.message}; or {anyway}, which asks nobody"
        raise BackstageError(said, f"act {want.act.name}", "migrations", error.log) from None
    found = graphs.newer([graphs.written(app, name) for app, name in answer["applied"]], known, others)
    if found:
        undo = " and ".join(
            f"backstage.django.manage -e act={want.act.name} -e {shlex.quote(f'run={json.dumps(command)}')}"
            for command in graphs.undoing(found, known)
        )
        dump = dumps.fitting(state, want.play)
        restore = f"; or restore the dump of {dump.at}: {dumps.command(want.act.name, want.play)}" if dump else ""
        raise Refusal(
            f"act {want.act.name}: release {want.play} does not know migrations that the database has:"
            f" {', '.join(found)}; undo them first, which deletes what they added: {undo}{restore};"
            f" or, if the older code works with them, {anyway}"
        )
