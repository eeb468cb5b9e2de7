# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove what a role made, and nothing that belongs to somebody else."""

from __future__ import annotations

import glob
import json
import os
import stat
from collections.abc import Iterable, Iterator
from functools import partial

from . import files
from .placements import PUT_BACK, REMOVED, Change, contents, draft_of, status

_MARK = "Managed by Backstage"
_LINES = 3
"""The number of first lines that may contain the ownership line. Scripts and pages need their own first line."""


def is_ours(text: str) -> bool:
    """Return whether a file says that it is Backstage's, in its first lines or, in JSON, by the key managed_by."""
    if any(_MARK in line for line in text.splitlines()[:_LINES]):
        return True
    try:
        data = json.loads(text)
    except ValueError:
        return False
    return isinstance(data, dict) and data.get("managed_by") == "backstage.django"


def of_files(paths: Iterable[str]) -> tuple[list[Change], list[str]]:
    """Return the removals of those files that are ours, and the paths of those that stay because they are not."""
    found, kept = [], []
    for path in paths:
        about = status(path, follow=False)
        draft = draft_of(path)
        if draft:
            found.append(draft)
        if about is None:
            continue
        if stat.S_ISREG(about.st_mode) and is_ours(contents(path)):
            found.append(_removal(path))
        else:
            kept.append(path)
    return found, kept


def of_logs(paths: Iterable[str]) -> list[Change]:
    """Return the removals of logs and their rotated copies."""
    there = (found for path in paths for found in [path, *sorted(glob.glob(f"{glob.escape(path)}.*"))])
    return [_removal(path) for path in there if os.path.lexists(path)]


def of_directories(paths: Iterable[str], removed: Iterable[str]) -> list[Change]:
    """Return the removals of directories that contain only what is removed, children first."""
    gone = set(removed)
    found = []
    for path in sorted(paths, reverse=True):
        about = status(path, follow=False)
        if about is None or not stat.S_ISDIR(about.st_mode):
            continue
        if all(os.path.join(path, name) in gone for name in os.listdir(path)):
            gone.add(path)
            found.append(Change(path, REMOVED, "directory\n", "", partial(os.rmdir, path)))
    return found


def of_links(links: dict[str, str]) -> Iterator[Change]:
    """Yield the removals of other software's symlinks, each only if it points to this target."""
    for path, target in links.items():
        if os.path.islink(path) and os.path.realpath(path) == os.path.realpath(target):
            yield _removal(path)


def put_back(links: dict[str, str]) -> Iterator[Change]:
    """Yield the restorations of these symlinks, if nothing else is at their paths."""
    for path, target in links.items():
        if not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)) and os.path.exists(target):
            yield Change(path, PUT_BACK, "", f"link to {target}\n", partial(files.link, path, target))


def _removal(path: str) -> Change:
    return Change(path, REMOVED, "there\n", "", partial(files.remove, path))
