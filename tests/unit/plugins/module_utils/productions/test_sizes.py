# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of bytes as people read them."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.productions import sizes

SIZES = [(0, "0 B"), (1023, "1023 B"), (2048, "2 KiB"), (61 * 2**20, "61 MiB"), (3 * 2**29, "1.5 GiB")]


@pytest.mark.parametrize(("number", "text"), SIZES)
def test_sizes(number: int, text: str) -> None:
    assert sizes.text(number) == text
