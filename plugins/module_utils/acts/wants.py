# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of an Act, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from ..manifest import inputs
from ..manifest.nouns import Act, summary
from ..state.read import ActState
from . import world


@dataclass(frozen=True)
class Want:
    """The wanted state of one Act on this host.

    Args:
        act: the Act in the manifest.
        address: where it is reached, now or later.
        release: the id of the wanted release.
        content: the id of the source's content.
        inputs: everything that the release is computed from; None if only its id is known.
        digest: the digest of the source and the manifest's inputs, before the host's Python is added.
        source: the name of the source for people.
        archive: the copied source, if this host lacked it.
        held: whether this release was rolled back and is not played again.
        unhold: whether a hold ends.
        play: the release that a Sess should play: the wanted one, or the live one during a hold.
        shared: whether it plays on other hosts, too.
    """

    act: Act
    address: world.Address
    release: str
    content: str = ""
    digest: str = ""
    inputs: Optional[dict[str, Any]] = None
    source: str = ""
    archive: str = ""
    held: bool = False
    unhold: bool = False
    play: str = ""
    shared: bool = False


def record_of(want: Want) -> dict[str, Any]:
    """Return act.json, the record of what was asked for this Act."""
    return {
        "format": inputs.FORMAT,
        "act": summary(want.act),
        "release": want.release,
        "content": want.content,
        "source": want.source,
        "digest": want.digest,
    }


def needs_source(want: Want, state: ActState) -> bool:
    """Return whether this host lacks the release, so that it needs the source."""
    return want.act.state == "present" and not want.held and want.release not in state.releases
