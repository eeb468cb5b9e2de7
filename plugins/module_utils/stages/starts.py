# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start a new Sess beside the one that plays, and pass it through the gate."""

from __future__ import annotations

from typing import Callable

from ..acts import manager as acts
from ..diagnosis import lookup
from ..host import caller, files, names, process, run_log
from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest import inputs
from ..state.read import ActState
from . import gate, kinds, leftovers, limits, sess_files
from .gate import Gate
from .interface import Look, Part, Stage
from .roll_call import Crew
from .served import Served


def start(want: acts.Want, wanted: Part, state: ActState, host: Host, warn: Callable[[str], None]) -> str:
    """Start a new Sess with its own door, pass it through the gate, and return its id.

    Raises:
        BackstageError: it did not start or did not answer. It was removed, and nothing else changed.
        OSError: one of its files could not be written. It was removed, and nothing else changed.
    """
    host.need_stage()
    if state.releases[wanted.release].get("abi", inputs.abi()) != inputs.abi():
        raise BackstageError(lookup.find("built for another Python"), step="start")
    stage = kinds.of(wanted.stage, host, state.paths, wanted.manager)
    sess = state.next_sess(wanted.release, stage.remembered())
    player = process.User.named(names.player(state.paths.production.name, state.paths.name))
    acts.fill_writable(state, state.releases[wanted.release])
    sess_files.make_log(state)
    ends, killed = stage.log_ends(), limits.kills()
    try:
        sess_files.write(stage, wanted, sess, state, player, want.act.keep_releases)
        state.history.add("started", release=wanted.release, sess=sess)
        run_log.phase(state.paths.name, "start")
        stage.start(sess)
        stage.ready(sess, want.act.health.timeout)
        run_log.phase(state.paths.name, "gate")
        _gate(want, wanted, sess, state, stage, ends).let_through()
    except (caller.Abandoned, OSError):
        _discard(stage, sess, state, warn)
        raise
    except BackstageError as error:
        log = stage.log_since(ends)
        killed = limits.kills() - killed if wanted.limits.memory else 0
        _discard(stage, sess, state, warn)
        cause = lookup.find(log) or lookup.unknown(log) if error.step == "start" else ""
        if killed > 0:
            cause = f"limits.memory ({wanted.limits.memory}) was reached, and the kernel killed it: raise limits.memory"
        raise BackstageError(cause or error.message, step=error.step, log=log) from None
    for thread in gate.lost_threads(stage.printed_since(ends)):
        warn(f"act {state.paths.name}: {thread}")
    unheld = limits.warning(stage.held(sess, wanted.limits.given(), Look(host)))
    if unheld:
        warn(f"act {state.paths.name}: {unheld}")
    return sess


def _gate(want: acts.Want, wanted: Part, sess: str, state: ActState, stage: Stage, ends: dict[str, int]) -> Gate:
    own, address = state.paths.sess(sess), want.address
    return gate.Gate(
        act=want.act,
        address=address,
        door=stage.door(sess),
        crew=Crew(wanted.processes, wanted.threads, wanted.timeout),
        served=Served(state.releases[wanted.release], address.path, own, state.paths.media),
        host=stage.host,
        log=lambda: stage.log_since(ends),
        threads=lambda: gate.lost_threads(stage.printed_since(ends)),
    )


def _discard(stage: Stage, sess: str, state: ActState, warn: Callable[[str], None]) -> None:
    """Remove a Sess of this run. Only this run has sent requests to it."""
    stage.stop(sess, 0.5)
    leftovers.kill(sess, state, stage.host, warn)
    files.remove_tree(state.paths.sess(sess).root)
