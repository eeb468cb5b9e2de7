# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables for a terminal. What an Act says of itself may be in them, so no control character gets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NOTHING = "-"


def clean(text: str) -> str:
    """Return a text without characters that a terminal would obey."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def lines(
    columns: Sequence[tuple[str, str]], rows: Iterable[Mapping[str, Any]], numbers: Iterable[str] = ()
) -> list[str]:
    """Return a table, with its head first.

    Args:
        columns: the keys of the rows, each with its title.
        rows: the rows. A value that is missing, empty or None is a dash.
        numbers: the keys whose values stand at the right of their column.
    """
    texts = [[title for _key, title in columns]]
    texts += [[_text(row.get(key)) for key, _title in columns] for row in rows]
    widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
    right = [key in set(numbers) for key, _title in columns]
    return [
        "  ".join(
            text.rjust(width) if at_right else text.ljust(width) for text, width, at_right in zip(row, widths, right)
        ).rstrip()
        for row in texts
    ]


def _text(value: Any) -> str:
    return NOTHING if value in (None, "") else clean(str(value))
