# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage manager: plan which Sesses start, are switched to, and stop. Their names are unique."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Callable, Optional

from ..host.facts import Host
from ..state.plan import Change, Phase, Step
from ..state.read import ActState
from . import standbys, wants
from .crew import Crew
from .interface import Front
from .wants import Want


def plan(want: Want, state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> list[Change]:
    """Return the changes after which exactly the wanted Sess plays.

    Args:
        want: the Sess.
        state: its Act on disk.
        host: what the roles prepared.
        warn: takes warnings.
        front: what brings visitors to it.
    """
    changes: list[Change] = []
    name = state.paths.name
    before = {"release": state.live_release} if state.live else None
    play = partial(_play, state=state, host=host, warn=warn, front=front)
    if want.sess.plays:
        _warn_of_kind(want, state, warn)
        differences = [*want.because, *wants.differences(want, state, host)]
        if differences:
            verb = "roll back" if want.hold else "play"
            if want.back:
                differences += standbys.look(want.act.play, state, partial(wants.differences, want, host=host), warn)
            changes.append(_play_change(want, Phase.PLAY, verb, differences, before, play))
        elif state.live and state.live_record.get("workers"):
            changes += _plan_crew(state, host)
        if want.after:
            because = [
                f"{what} left"
                for what in ("venues", "path", "ports")
                if getattr(want.act.address, what) != getattr(want.after, what)
            ]
            alone = replace(want, act=replace(want.act, address=want.after), after=None)
            changes.append(_play_change(alone, Phase.LEAVE, "play", because, before, play))
    elif state.live:
        step = Step("sess", name, "stop", {"release": state.live_release}, None)
        changes.append(Change(step, Phase.STOP, name, lambda: stop_all(state, host, warn)))
    return changes + plan_sweep(state, host, warn, front)


def _warn_of_kind(want: Want, state: ActState, warn: Callable[[str], None]) -> None:
    """Report that an earlier release is played by another kind than the manifest says."""
    release = state.releases.get(want.act.play)
    if release is None:
        return
    asked = want.sess.stage
    own, _class = wants.kind(want, release)
    if own != asked:
        warn(f"act {state.paths.name}: release {want.act.play} was built for stage '{own}', and plays by it")


def _play_change(
    want: Want,
    phase: Phase,
    verb: str,
    because: list[str],
    before: Optional[dict[str, Any]],
    play: Callable[[Want], None],
) -> Change:
    name = want.act.act.name
    step = Step("sess", name, verb, before, {"release": want.act.play, "because": because})
    return Change(step, phase, name, partial(play, want))


def _plan_crew(state: ActState, host: Host) -> list[Change]:
    """Return the restart of the live Sess's workers, which a killed run told to end."""
    own = Crew(host, state.paths, state.live or "")
    because = own.lacks()
    step = Step("sess", state.paths.name, "start workers", None, {"because": because})
    return [Change(step, Phase.CLEAR, state.paths.name, own.resume)] if because else []


def plan_removal(name: str, state: ActState, host: Host, warn: Callable[[str], None]) -> list[Change]:
    """Return the changes after which nothing of the Act plays."""
    if not (state.live or state.all_sesses):
        return []
    step = Step("sess", name, "remove", {"release": state.live_release} if state.live else None, None)
    return [Change(step, Phase.STOP, name, lambda: stop_all(state, host, warn))]


def plan_sweep(state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> list[Change]:
    """Return the removals of Sesses that are not live, except those whose workers still finish their jobs."""
    name = state.paths.name
    stays = {state.live, standbys.of(state) if standbys.is_kept(state) else None}
    left = [sess for sess in sorted(state.all_sesses - stays) if not Crew(host, state.paths, sess).is_draining()]
    return [
        Change(Step("sess", name, "sweep", sess), Phase.CLEAR, name, partial(_sweep, sess, state, host, warn, front))
        for sess in left
    ]


def _sweep(sess: str, state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> None:
    from . import crossings, stops

    crossings.close_left(sess, state, host, front)
    stops.end(sess, state, host, warn)


def _play(want: Want, state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> None:
    from . import switches

    switches.play(want, state, host, warn, front)


def stop_all(state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """Stop everything that plays for an Act."""
    from . import stops

    stops.stop_all(state, host, warn)
