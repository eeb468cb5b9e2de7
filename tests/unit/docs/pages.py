# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the documentation as data: their headings and the tables below each."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[3]
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]

Row = dict[str, str]


def tables(page: str) -> dict[str, list[Row]]:
    """The rows of each table of a page, by the heading above it; a row is its cells by their columns."""
    found: dict[str, list[Row]] = {}
    heading, columns = "", []
    for line in (PROJECT / "docs" / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading, columns = line.lstrip("# ").replace("`", ""), []
        elif not line.startswith("|"):
            columns = []
        elif not columns:
            columns = cells(line)
        elif not set(line) <= set("|- "):
            found.setdefault(heading, []).append(dict(zip(columns, cells(line))))
    return found


def cells(line: str) -> list[str]:
    """The cells of one row; a bar that is part of a text is written as \\|."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def anchors(page: Path) -> set[str]:
    """What a link may point at inside a page, as GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
