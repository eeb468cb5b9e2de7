# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shipped sources on their way: root's own, named by their content, gone after the run."""

from __future__ import annotations

import hashlib
import os

from ..host import files
from ..host.errors import BackstageError
from ..host.layout import Production


def take_in(paths: Production, shipped: dict[str, dict[str, str]]) -> dict[str, str]:
    """Copy what arrived into the spool; return Act -> the file there.

    Args:
        paths: the Production.
        shipped: Act -> ``path``, where the connection put it, and ``sha256``, what it has to be.

    Raises:
        BackstageError: something else arrived than was sent.
    """
    taken = {}
    for act, item in shipped.items():
        for path in (paths.root, paths.spool):
            files.directory(path, 0o755 if path == paths.root else 0o700)
        taken[act] = os.path.join(paths.spool, item["sha256"])
        _copy(item["path"], taken[act], item["sha256"])
    return taken


def _copy(path: str, target: str, expected: str) -> None:
    digest = hashlib.sha256()
    draft = target + ".new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with open(path, "rb") as arrived, os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        for chunk in iter(lambda: arrived.read(1 << 20), b""):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != expected:
        os.unlink(draft)
        raise BackstageError("the source was changed on its way to this host; run again", step="ship")
    os.replace(draft, target)


def sweep(paths: Production) -> None:
    """Remove what was shipped: releases hold it now, or the next run ships it again."""
    files.remove_tree(paths.spool)
