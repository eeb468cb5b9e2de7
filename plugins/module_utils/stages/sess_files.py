# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a new Sess."""

from __future__ import annotations

import os
from typing import Any

from ..acts import digests
from ..host import files, names, process
from ..manifest.nouns import summary
from ..state.read import ActState
from . import proofs
from .crew import Crew
from .interface import Part, Stage


def write(stage: Stage, wanted: Part, sess: str, state: ActState, player: process.User, keep: int) -> None:
    """Complete the Sess's directory before it is started.

    Args:
        stage: the Stage of the Act.
        wanted: what the Sess plays.
        sess: its id.
        state: its Act on disk.
        player: the Act's player.
        keep: how many releases stay; the Sess also serves the static files of earlier ones.
    """
    paths = state.paths.sess(sess)
    files.directory(paths.root, 0o711)
    files.directory(paths.env, 0o750, 0, player.gid)
    files.directory(paths.door, 0o750, 0, process.group_id(names.WWW_GROUP))
    files.directory(paths.older, 0o711)
    token = proofs.new()
    for name, value in {**wanted.variables, names.PROOF: token}.items():
        files.draft(os.path.join(paths.env, name), value + "\n", 0o640, player.gid)
    release = state.paths.release(wanted.release)
    os.symlink(release.root, paths.release)
    os.symlink(release.static, paths.static)
    for number, name in enumerate(state.older(wanted.release, keep), 1):
        os.symlink(state.paths.release(name).static, os.path.join(paths.older, str(number)))
    record: dict[str, Any] = {
        "sess": sess,
        "token": token,
        "release": wanted.release,
        "secrets": sorted(wanted.secrets),
        "stage": wanted.stage,
        **({"worker_class": wanted.worker_class} if wanted.worker_class else {}),
        **({"manager": wanted.manager} if wanted.manager else {}),
        "processes": wanted.processes,
        "threads": wanted.threads,
        "timeout": wanted.timeout,
        "limits": wanted.limits.given(),
        "variables": digests.of_variables(wanted.variables),
        "workers": [summary(worker) for worker in wanted.workers],
        **({"idle": wanted.idle} if wanted.idle else {}),
        **({"standby": wanted.standby} if wanted.standby else {}),
    }
    files.draft(paths.record, files.to_json(record), 0o600)
    for name, file in stage.files(wanted, sess).items():
        if file:
            files.draft(os.path.join(paths.root, name), file.text, file.mode, player.gid if file.for_player else 0)
    Crew(stage.host, state.paths, sess).write(wanted, player)


def make_log(state: ActState) -> None:
    """Create the Act's log, which only root and the group of log readers can read."""
    files.directory(state.paths.production.logs, 0o750, 0, process.group_id(names.LOG_GROUP))
    handle = os.open(state.paths.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
    os.fchown(handle, 0, process.group_id(names.LOG_GROUP))
    os.close(handle)
