# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What should play, and how the live Sess differs from it."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from typing import Optional

from ..acts import digests, world
from ..acts import manager as acts
from ..host import files, names
from ..host.facts import Host
from ..manifest import inputs, stage_kinds
from ..manifest.nouns import ASLEEP, Sess
from ..state.read import ActState, Record
from . import crew, kinds, limits
from .crew import Crew
from .interface import Part, Stage


@dataclass
class Want:
    """The Sess that should play for one Act on this host.

    Args:
        sess: the Sess as the manifest says.
        act: its Act, with the release to be played.
        hold: on a rollback, the release to hold, and the digest of its inputs.
        after: its address after nginx drops the old one; until then the Sess answers there, too.
        because: why another Sess plays even if the live one is as wanted; usually empty.
        back: whether it is a rollback, which may take the standby.
    """

    sess: Sess
    act: acts.Want
    hold: Optional[dict[str, str]] = None
    after: Optional[world.Address] = None
    because: tuple[str, ...] = ()
    back: bool = False


def part(want: Want, state: ActState, host: Host) -> Optional[Part]:
    """Return what the Sess should play; None if its release is not built."""
    release = state.releases.get(want.act.play)
    if release is None:
        return None
    variables = acts.play_variables(want.act, state, release, host)
    variables["BACKSTAGE_APPLICATION"] = release["application"]
    paths = state.paths.release(release["release"])
    stage, worker_class = kind(want, release)
    is_vassal = stage_kinds.is_vassal(stage)
    return Part(
        release=release["release"],
        project=posixpath.normpath(posixpath.join(paths.code, release["project"])),
        environment=state.paths.production.environment(release["environment"]),
        variables=variables,
        secrets=frozenset(acts.secrets_of(want.act.act, state)),
        processes=want.sess.processes,
        threads=want.sess.threads if stage_kinds.has_threads(stage, worker_class) else 1,
        timeout=want.act.act.timeout,
        limits=want.sess.limits,
        stage=stage,
        worker_class=worker_class,
        manager=stage_kinds.manager(stage, want.sess.manager),
        manage=release["manage"],
        idle=want.sess.idle if want.sess.state == ASLEEP and is_vassal else 0,
        standby=want.sess.standby if is_vassal else 0,
        # a rehearsal starts no workers, because they would take real jobs
        workers=()
        if state.paths.production.name == names.REHEARSAL
        else tuple(sorted(want.act.act.workers, key=lambda one: one.name)),
    )


def kind(want: Want, release: Record) -> tuple[str, str]:
    """Return the Stage kind and the worker class by which a release is played."""
    built_for = release.get("inputs", {}).get(inputs.SERVER)
    return stage_kinds.played(want.sess.stage, want.sess.worker_class, built_for)


def differences(want: Want, state: ActState, host: Host) -> list[str]:
    """Return why the live Sess differs from the wanted one; empty if it does not. Values of secrets are not in it."""
    if not state.live:
        return ["nothing plays"]
    wanted = part(want, state, host)
    if wanted is None or wanted.release != state.live_release:
        return ["release"]
    found: list[str] = []
    links = kinds.of_sess(state.live_record, host, state.paths).links(state.live)
    if any(files.link_target(path) is None for path in links):
        found.append("it is not started")
    if state.was_given(digests.of_variables(wanted.variables)):
        state.live_env = wanted.variables
    secret = {*wanted.secrets, *state.live_record.get("secrets", [])}
    for key in sorted({*wanted.variables, *state.live_env}):
        if wanted.variables.get(key) != state.live_env.get(key):
            found.append(f"{'secret' if key in secret else 'variable'} {key} changed")
    for key in ("stage", "worker_class", "manager", "processes", "threads", "timeout"):
        before, after = state.live_record.get(key), getattr(wanted, key)
        if (before or "") != after:
            found.append(f"{key}: {before or 'default'} -> {after or 'default'}")
    if (state.live_record.get("idle") or 0) != wanted.idle:
        found.append(f"idle: {state.live_record.get('idle') or 'never'} -> {wanted.idle or 'never'}")
    found += crew.differences(wanted.workers, state.live_record.get("workers") or [])
    found += limits.differences(wanted.limits, state.live_record.get("limits") or {})
    return found or _rewritten(wanted, state.live, state, kinds.of(wanted.stage, host, state.paths, wanted.manager))


def _rewritten(wanted: Part, live: str, state: ActState, stage: Stage) -> list[str]:
    """Return the files of the live Sess that were changed by hand."""
    root = state.paths.sess(live).root
    texts = {os.path.join(root, name): file and file.text for name, file in stage.files(wanted, live).items()}
    texts.update(stage.beside(wanted, live))
    texts.update(Crew(stage.host, state.paths, live).texts(wanted))
    return [os.path.basename(path) for path, text in texts.items() if files.read(path) != text]
