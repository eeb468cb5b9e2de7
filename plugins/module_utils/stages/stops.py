# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drain and stop Sesses, and remove their directories."""

from __future__ import annotations

from typing import Callable

from ..host import files, run_log
from ..host.facts import Host
from ..state.read import ActState
from . import crew, kinds, leftovers, standbys
from .crew import Crew


def end(sess: str, state: ActState, host: Host, warn: Callable[[str], None], wait: bool = True) -> None:
    """Drain a Sess that nginx no longer uses, stop it, and remove its directory.

    Args:
        sess: its id.
        state: its Act on disk.
        host: the host's facts.
        warn: takes warnings.
        wait: whether to wait until its last process has ended. Otherwise its runner ends it once it answers nothing,
            and workers that take long are left to a later run.
    """
    own = Crew(host, state.paths, sess)
    run_log.phase(state.paths.name, "drain")
    own.tell(crew.DRAIN)
    stage, record = kinds.of_left(sess, state, host), files.read_json(state.paths.sess(sess).record) or {}
    timeout = record.get("timeout", host.longest_request)
    if stage.is_started(sess):
        idle = stage.idle(sess, timeout + 5)
        if not idle:
            warn(f"act {state.paths.name}: Sess {sess} was still answering after {timeout + 5} s and was stopped")
        stage.stop(sess, None if idle and not wait else timeout + 15)
    if not own.end(wait):
        left = ", ".join(own.working())
        warn(f"act {state.paths.name}: workers of Sess {sess} still finish their jobs ({left}); a later run removes it")
        return
    leftovers.kill(sess, state, host, warn)
    files.remove_tree(state.paths.sess(sess).root)
    standbys.forget(sess, state)


def stop_all(state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """Stop everything that plays for an Act. nginx loses the door first, and open requests are finished."""
    files.remove(state.paths.live)
    for sess in sorted({*state.all_sesses, *([state.live] if state.live else [])}):
        end(sess, state, host, warn)
    if state.live:
        state.history.add("stopped", sess=state.live)
    state.live = None
