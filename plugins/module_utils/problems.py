# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collecting what is wrong with a manifest, so that one run names it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .errors import Refusal


class Problems:
    """What was found wrong, a line each."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, value: Any, what: str) -> None:
        shown = f" {value!r}:" if value is not None else ""
        self.lines.append(f"{where}:{shown} {what}")

    def check(self, where: str, value: Any, what: Optional[str], secret: bool = False) -> None:
        if what:
            self.add(where, None if secret else value, what)

    def refuse(self) -> None:
        if self.lines:
            raise Refusal("\n".join(self.lines))


def one_of(what: str, known: Mapping[str, Any]) -> str:
    return f"{what}; known: {', '.join(sorted(known)) or 'none'}"
