# SPDX-License-Identifier: GPL-3.0-or-later
"""What certificates are wanted, as files of the host."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import wishes
from ansible_collections.backstage.django.plugins.module_utils.certificates.wishes import Wish

from ...house import House

WISH = Wish("jazz", ("a.example", "b.example"), "https://ca.example", prepared={"/x": "server {}"})


def test_written_and_read(house: House) -> None:
    wishes.write(house.host, WISH)
    assert wishes.read(house.host, "jazz", "a.example") == WISH
    assert wishes.names(house.host) == ["jazz.a.example"]
    assert stat.S_IMODE(os.stat(wishes.path(house.host, "jazz", "a.example")).st_mode) == 0o600
    assert WISH.without_files() == Wish("jazz", ("a.example", "b.example"), "https://ca.example")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"names": 5}', WISH.text.replace('"names": [', '"names": [{}, ')[:50]]
)
def test_files_that_are_not_wishes(house: House, text: str) -> None:
    assert wishes.read(house.host, "jazz", "a.example") is None
    Path(wishes.path(house.host, "jazz", "a.example")).write_text(text)
    assert wishes.read(house.host, "jazz", "a.example") is None
    with pytest.raises(ValueError, match="it does not say what certificate is wanted"):
        Wish.of({})


def test_others_stay(house: House) -> None:
    for production, name in (("jazz", "a.example"), ("jazz", "b.example"), ("jazzy", "a.example"), ("blues", "jazz.x")):
        wishes.write(house.host, Wish(production, (name,), "https://ca.example"))
    wishes.sweep(house.host, "jazz", {"b.example"})
    assert wishes.names(house.host) == ["blues.jazz.x", "jazz.b.example", "jazzy.a.example"]
