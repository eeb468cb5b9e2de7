# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure that is to be cured, and what is known around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ..host.facts import Host
from ..host.layout import Release
from .draft import Draft


@dataclass
class Case:
    """A failure that is to be cured.

    Args:
        draft: the Act so far.
        words: what the diagnosis found, such as a variable's name.
        because: the diagnosis: the reason of every line that comes of it.
        names: the host names that the Act has to answer for.
        host: the host's facts.
        release: where the release was built.
        record: what is known of it, where it was built whole.
        commands: asks for console scripts of the environment that manage a Django project.
        pages: asks for pages that the Act has.
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
"""Changes the draft; one that changes nothing knows no line."""
