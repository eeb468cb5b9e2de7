# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Point the symlinks of sealed releases at an Act's new directory when the Act gets another name."""

from __future__ import annotations

import contextlib
import json
import os

from ..host import files
from ..host.layout import SEAL
from ..host.layout import Act as ActPaths
from . import digests


def relink(before: ActPaths, after: ActPaths) -> None:
    """Change the targets of all symlinks that lead to an Act's own directory, and their records in the seals.

    What was changed already stays, so that it can be repeated.

    Args:
        before: the directories, which still have their old names.
        after: the names that they will have.
    """
    for release in files.names_in(before.releases):
        root = before.release(release).root
        if os.path.exists(before.release(release).seal):
            _relink(root, before.root + "/", after.root + "/")


def _relink(root: str, old: str, new: str) -> None:
    for _path, directories, names, handle in os.fwalk(root, follow_symlinks=False):
        for name in [*directories, *names]:
            target = _target(name, handle)
            if target.startswith(old):
                draft = name + files.DRAFT
                with contextlib.suppress(FileNotFoundError):  # a killed run may have left one
                    os.unlink(draft, dir_fd=handle)
                os.symlink(new + target[len(old) :], draft, dir_fd=handle)
                os.rename(draft, name, src_dir_fd=handle, dst_dir_fd=handle)
    record = digests.recorded(root)
    if record is not None:
        # the record of a symlink ends in its target
        changed = {path: line.replace(f" {old}", f" {new}") for path, line in record.items()}
        text = json.dumps(changed, separators=(",", ":"), sort_keys=True)
        files.write(os.path.join(root, digests.RECORD), text + "\n", 0o600)
    seal = os.path.join(root, SEAL)
    about = os.lstat(seal)
    # written anew, because everything in a sealed tree is older than its seal
    files.write(seal, files.read(seal) or "", 0o640, about.st_gid)


def _target(name: str, directory: int) -> str:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return ""
