# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of options laid together."""

from __future__ import annotations

from ansible_collections.backstage.django.plugins.module_utils.bookings.options.lines import Lines


def test_each_stays_in_its_place() -> None:
    assert Lines("a", "b", "c", "d") + Lines("1", "2", "3", "4") == Lines("a1", "b2", "c3", "d4")
