# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Venues and Acts with other names than nginx has them under."""

from __future__ import annotations

import glob
import os
from collections.abc import Container, Mapping

from ..host.errors import BackstageError
from ..manifest.nouns import Manifest
from ..state.plan import Step
from . import server_block
from .blocks import Block


def _venues(manifest: Manifest, before: Mapping[str, Block]) -> dict[str, str]:
    """Return the Venues that nginx has under their old names: name -> old name."""
    said = {name: venue.was for name, venue in manifest.venues.items() if venue.state != "absent"}
    return {name: old for name, old in said.items() if old in before and old != name}


def refused(manifest: Manifest, before: Mapping[str, Block]) -> dict[str, BackstageError]:
    """Return the Venues that nginx has under both names."""
    return {
        name: BackstageError(
            f"{name} is on this host, and so is '{old}', whose name it should take over: remove 'was' from it",
            step="rename",
        )
        for name, old in _venues(manifest, before).items()
        if name in before
    }


def known(manifest: Manifest) -> set[str]:
    """Return the names of Venues in a manifest, also the old ones."""
    return {name for venue in manifest.venues.values() for name in (venue.name, venue.was) if name}


def gone(manifest: Manifest, left: Container[str]) -> set[str]:
    """Return the old names of Acts. What is booked for them is booked for the new ones.

    Args:
        manifest: what should be.
        left: Acts that failed, and so may still have their old names.
    """
    return {act.was for name, act in manifest.acts.items() if act.was and name not in left}


def steps(
    manifest: Manifest, before: Mapping[str, Block], wanted: Mapping[str, Block]
) -> tuple[dict[str, Block], list[Step]]:
    """Return what nginx has of each Venue under its new name, and the renames."""
    found, made = dict(before), []
    for name, old in _venues(manifest, before).items():
        if name in wanted and old not in wanted:
            made.append(Step("venue", name, "rename", old, name))
            found[name] = {**found.pop(old), "name": name}
    return found, made


def rename_logs(manifest: Manifest, before: Mapping[str, Block], taken: Container[str]) -> None:
    """Give the access logs of Venues, with the rotated ones, their new names. nginx opens them again at its reload.

    Args:
        manifest: what should be.
        before: what nginx has.
        taken: Venues that stay as they are.
    """
    for name, old in _venues(manifest, before).items():
        path, target = (server_block.access_log(manifest.production, one) for one in (old, name))
        for found in sorted(glob.glob(glob.escape(path) + "*")) if name not in taken else []:
            after = target + found[len(path) :]
            if not os.path.exists(after) or not os.path.getsize(after):  # nginx makes it when it tests
                os.rename(found, after)
