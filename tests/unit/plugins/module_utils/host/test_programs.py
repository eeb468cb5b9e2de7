# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the host: what they print, and what is said of one that is not there."""

from __future__ import annotations

from ansible_collections.backstage.django.plugins.module_utils.host import programs


def test_ask() -> None:
    told = programs.ask("printf", "%s", "swing")
    assert (told.ok, told.out) == (True, "swing")
    assert not programs.ask("false").ok


def test_a_missing_program_is_an_answer() -> None:
    """A host without systemctl, dpkg or nginx is no error of ours."""
    assert programs.ask("no-such-command-anywhere").code == programs.MISSING
