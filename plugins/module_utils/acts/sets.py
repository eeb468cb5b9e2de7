# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Set of a release, which is what it brings to the stage: apps, packages, static files."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Optional

from ..host import files
from ..host.layout import Act as ActPaths
from . import digests

_PACKAGE = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)\.dist-info\Z")


def of(paths: ActPaths, release: dict[str, Any]) -> dict[str, Any]:
    """Return the Set of a sealed release.

    Args:
        paths: the Act's.
        release: the record of the release.
    """
    environment = paths.production.environment(release["environment"])
    number, size = _files(paths.release(release["release"]).static)
    return {
        "apps": release.get("apps", []),
        "packages": packages(environment),
        "static_files": number,
        "static_bytes": size,
        "unpinned_since": None if release["pinned"] else _made(environment),
    }


def packages(environment: str) -> list[str]:
    """Return the packages of an environment with the versions that are in it, by the names of their records."""
    library = os.path.join(environment, "lib")
    found = []
    for python in files.names_in(library):
        for name in files.names_in(os.path.join(library, python, "site-packages")):
            match = _PACKAGE.match(name)
            if match:
                found.append(f"{match.group('name').replace('_', '-')}=={match.group('version')}")
    return sorted(found, key=lambda one: one.lower().partition("==")[0])


def _made(environment: str) -> Optional[str]:
    """Return when an environment was made; its seal is touched each time that it is used again."""
    try:
        moment = os.stat(os.path.join(environment, digests.RECORD)).st_mtime
    except OSError:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _files(top: str) -> tuple[int, int]:
    """Return the number of files below a directory, and their bytes."""
    number = size = 0
    left = [top]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        number, size = number + 1, size + entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # it was removed meanwhile
    return number, size
