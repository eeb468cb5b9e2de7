# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables for a terminal: columns as wide as what is in them, and nothing that a terminal obeys."""

from __future__ import annotations

from ansible_collections.backstage.django.plugins.module_utils.host import tables

COLUMNS = (("name", "NAME"), ("seconds", "SECONDS"))


def test_columns_are_as_wide_as_their_widest_value() -> None:
    rows = [{"name": "kittens-and-dogs", "seconds": 2.5}, {"name": "a", "seconds": None}, {"seconds": 0}]
    assert tables.lines(COLUMNS, rows, ["seconds"]) == [
        "NAME              SECONDS",
        "kittens-and-dogs      2.5",
        "a                       -",
        "-                       0",
    ]


def test_a_table_without_rows_is_its_head() -> None:
    assert tables.lines(COLUMNS, []) == ["NAME  SECONDS"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert tables.lines(COLUMNS[:1], [{"name": "a\x1b[2Jb\nc\u202ed é"}]) == ["NAME", "a?[2Jb?c?d é"]
