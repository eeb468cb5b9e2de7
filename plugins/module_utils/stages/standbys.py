# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The standby: the Sess that played before the live one and stays beside it for some minutes. It is a vassal.

A rollback to it is a rename. Whoever comes first ends it: a timer of systemd that removes its vassal, or a later run.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Callable

from ..host import files, names, programs
from ..host.facts import Host
from ..state.read import ActState
from . import emperor, kinds, sleep, timers
from .crew import Crew

Differences = Callable[[ActState], list[str]]


def of(state: ActState) -> str:
    """Return the Sess that the record names; empty if there is none, or if it is the live one."""
    sess = str(state.standby.get("sess", ""))
    return sess if sess != state.live else ""


def is_kept(state: ActState) -> bool:
    """Return whether it still stands by: its time is not over, and nobody has removed its vassal."""
    return of(state) in state.started and time.time() < state.standby.get("until", 0)


def keep(sess: str, minutes: int, state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """Leave the Sess that was live where it is; its workers have been told to end."""
    state.standby = {"sess": sess, "until": int(time.time()) + 60 * minutes}
    files.write(state.paths.standby, files.to_json(state.standby), 0o600)
    if os.path.isdir(timers.SYSTEMD):
        _set_timer(sess, minutes, state, host, warn)


def _set_timer(sess: str, minutes: int, state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """Have systemd remove its vassals in time. The directory is left to a later run."""
    links, workers = list(kinds.of_left(sess, state, host).links(sess)), Crew(host, state.paths, sess).link
    when = ["--quiet", "--collect", f"--unit={_unit(sess, state)}", f"--on-active={60 * minutes}s"]
    removed = [*map(sleep.file_of, links), workers, *links]
    done = programs.ask("systemd-run", *when, "--timer-property=AccuracySec=1s", "/bin/rm", "-f", *removed)
    if not done.ok:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(state.standby["until"]))
        warn(f"act {state.paths.name}: no timer ends its standby ({done.said}); the first run after {at} does")


def _unit(sess: str, state: ActState) -> str:
    return f"backstage-standby-{state.paths.production.name}-{state.paths.name}-{sess}"


def forget(sess: str, state: ActState) -> None:
    """Remove what says that a Sess stands by: it is live again, or it was ended."""
    if state.standby.get("sess") != sess:
        return
    if os.path.isdir(timers.SYSTEMD):
        programs.ask("systemctl", "stop", f"{_unit(sess, state)}.timer")  # it may be over
    files.remove(state.paths.standby)
    state.standby = {}


def look(
    release: str,
    state: ActState,
    differences: Differences,
    warn: Callable[[str], None] = lambda _text: None,
) -> list[str]:
    """Return that a rollback takes the standby, as a plan shows it; nothing if it can't.

    Args:
        release: what is gone back to.
        state: its Act on disk.
        differences: returns how the live Sess of an Act differs from what is wanted.
        warn: is told why a standby of this release can't be taken.
    """
    sess = of(state)
    if not is_kept(state) or sess.partition(".")[0] != release:
        return []
    paths = state.paths.sess(sess)
    found = differences(replace(state, live=sess, live_record=files.read_json(paths.record) or {}))
    if found:
        warn(f"act {state.paths.name}: its standby is not as it would be started today ({', '.join(found)}): not used")
    return [] if found else ["its Sess stands by"]


def take(release: str, state: ActState, host: Host, differences: Differences, keep_releases: int) -> str:
    """Make the standby ready to be switched to, and return its id; empty if it can't be taken, or has ended meanwhile.

    The workers of the live Sess take no more jobs.

    Args:
        release: what is gone back to.
        state: its Act on disk.
        host: the host's facts.
        differences: returns how the live Sess of an Act differs from what is wanted.
        keep_releases: how many releases stay; it also serves the static files of earlier ones, now the present one's.
    """
    if not look(release, state, differences):
        return ""
    sess = of(state)
    if os.path.isdir(timers.SYSTEMD):
        programs.ask("systemctl", "stop", f"{_unit(sess, state)}.timer")
    vassal = names.vassal(state.paths.production.name, state.paths.name, sess)
    found = emperor.look(host.stats).vassals.get(vassal)
    if found is None or found.cursed or not (found.accepting or sleep.sleeps(os.path.join(host.vassals, vassal))):
        return ""
    if state.live:
        Crew(host, state.paths, state.live).hand_over()
    older = state.paths.sess(sess).older
    for number, name in enumerate(state.older(sess.partition(".")[0], keep_releases), 1):
        files.link(os.path.join(older, str(number)), state.paths.release(name).static)
    return sess


def line(state: ActState) -> str:
    """Return a line for people; empty if nothing stands by."""
    if not is_kept(state):
        return ""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(state.standby["until"]))
    return f"standby: act {state.paths.name}: release {of(state).partition('.')[0]} until {until}"
