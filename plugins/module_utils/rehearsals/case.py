# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure to cure, with its context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ..host.facts import Host
from ..host.layout import Release
from .draft import Draft


@dataclass
class Case:
    """A failure to cure.

    Args:
        draft: the Act so far.
        words: what the diagnosis matched, such as the name of a variable.
        because: the diagnosis, which becomes the reason of every line that results from it.
        names: the host names that the Act has to answer.
        host: the host's facts.
        release: the directory of the built release.
        record: the release's record, if the build finished.
        commands: returns the environment's console scripts that manage a Django project.
        pages: returns pages that the Act has.
    """

    draft: Draft
    words: Sequence[str]
    because: str
    names: list[str]
    host: Host
    release: Release
    record: dict[str, Any] = field(default_factory=dict)
    commands: Callable[[], list[str]] = list
    pages: Callable[[], list[str]] = list

    @property
    def word(self) -> str:
        return self.words[0] if self.words else ""


Cure = Callable[[Case], None]
"""Changes the draft. If it changes nothing, it knows no further line."""
