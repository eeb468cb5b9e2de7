# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The switch to another Sess: start it, lead visitors to it, and end the old one; or go back to the old one."""

from __future__ import annotations

import os
from functools import partial
from typing import Callable, Optional

from ..acts import databases, finish
from ..host import caller, files, run_log
from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest import stage_kinds
from ..manifest.stage_kinds import FIRST
from ..state.read import ActState
from . import crew, crossings, kinds, standbys, wants
from .crew import Crew
from .crossings import Crossing
from .interface import Front, Part
from .starts import start
from .stops import end
from .wants import Want


def play(want: Want, state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> None:
    """Have the wanted Sess play.

    Raises:
        BackstageError: it did not start, or visitors did not reach it. The old one plays on.
    """
    wanted = wants.part(want, state, host)
    if wanted is None:
        raise BackstageError("there is no sealed release to play", step="play")
    old = state.live
    differences = partial(wants.differences, want, host=host)
    warm = standbys.take(wanted.release, state, host, differences, want.act.act.keep_releases) if want.back else ""
    sess = warm or _begin(want, wanted, state, host, warn)
    marks = {path: files.read(path) for path in (state.paths.hold, state.paths.stopped)}
    if want.hold:
        files.write(state.paths.hold, files.to_json(want.hold), 0o600)
    files.remove(state.paths.stopped)
    try:
        _switch(want, sess, state, host, front)
        front.ask(want.act.act)
    except BackstageError:
        for path, text in marks.items():
            if text is None:
                files.remove(path)
            else:
                files.write(path, text, 0o600)
        _go_back(old, sess, state, host, warn, front)
        raise
    because = {"because": f"rolled back from {(old or '').split('.')[0]}"} if want.hold else {}
    state.history.add("played", release=wanted.release, sess=sess, **because)
    if want.hold:
        state.history.add("held", release=want.hold["release"])
    if old:
        Crossing(old, sess, state, host).close()
        _leave(old, want, state, host, warn)
    state.live_record = files.read_json(state.paths.sess(sess).record) or {}
    state.live_env = wanted.variables
    act, code = want.act.act, state.paths.release(wanted.release).code
    sealed = databases.sealed(state.releases[wanted.release], code, finish.base(code, act), act.writable)
    if sealed:
        warn(f"act {act.name}: its database '{sealed}' lies in the code, and can't be written: name it in 'writable'")


def _leave(old: str, want: Want, state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """End the Sess that played before, or let it stand by. There is one standby."""
    standby, new = standbys.of(state), Crew(host, state.paths, state.live or "")
    if standby:
        end(standby, state, host, warn, wait=False)
    elif state.standby and new.known():  # it is live again
        new.resume()
    standbys.forget(state.live or "", state)
    is_vassal = stage_kinds.is_vassal((files.read_json(state.paths.sess(old).record) or {}).get("stage", FIRST))
    if want.sess.standby and is_vassal and not want.back and old.split(".", maxsplit=1)[0] != want.act.play:
        standbys.keep(old, want.sess.standby, state, host, warn)
    else:
        # the files of its release may be removed at the end of this run
        end(old, state, host, warn, wait=want.act.act.keep_releases == 1)


def _begin(want: Want, wanted: Part, state: ActState, host: Host, warn: Callable[[str], None]) -> str:
    """Start a Sess, pass it through the gate and start its workers. Then those of the old one take no more jobs.

    Raises:
        BackstageError: it or a worker did not start. It was removed, and the old workers run on.
    """
    sess = start(want.act, wanted, state, host, warn)
    new = Crew(host, state.paths, sess)
    if new.known():
        run_log.phase(state.paths.name, "workers")
    try:
        new.begin(want.act.act.health.timeout)
        if state.live:
            Crew(host, state.paths, state.live).hand_over()
    except caller.Abandoned:  # nobody waits until the workers have finished their jobs: the next run removes the Sess
        new.tell(crew.DRAIN)
        kinds.of_left(sess, state, host).stop(sess, 0.5)
        raise
    except BackstageError:
        end(sess, state, host, warn)
        raise
    return sess


def _switch(want: Want, sess: str, state: ActState, host: Host, front: Front) -> None:
    """Have nginx lead visitors to the new Sess. If its door speaks another protocol, nginx needs another text."""
    run_log.phase(state.paths.name, "switch")
    if state.live:
        crossing = Crossing(state.live, sess, state, host)
        if crossing.is_needed:
            crossing.open()
            front.lead(state.paths.name, want.act.play, want.act.address.path, crossing.other.protocol)
    files.link(state.paths.live, os.path.join("sesses", sess))
    state.live = sess


def _go_back(
    old: Optional[str], new: str, state: ActState, host: Host, warn: Callable[[str], None], front: Front
) -> None:
    if old:
        files.link(state.paths.live, os.path.join("sesses", old))
        Crew(host, state.paths, old).tell(crew.RUN)
    else:
        files.remove(state.paths.live)
    state.live = old
    crossings.close_left(new, state, host, front)
    end(new, state, host, warn)
