# SPDX-License-Identifier: GPL-3.0-or-later
"""When the certificate of a Venue ends, as status tells it."""

from __future__ import annotations

from ansible_collections.backstage.django.plugins.module_utils.certificates import ends
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs

from ...certs import signed
from ...house import House


def test_a_selfsigned_certificate(house: House) -> None:
    Pairs.of(house.host, "jazz", "a.example").make_selfsigned(["a.example", "www.a.example"])
    found = ends.of(house.host, "jazz", "a.example")
    assert found
    assert (found["kind"], found["names"]) == ("selfsigned", ["a.example", "www.a.example"])
    assert found["days"] in (3649, 3650)
    assert found["ends"][:2] == "20"


def test_a_certificate_of_the_manifest(house: House) -> None:
    Pairs.of(house.host, "jazz", "a.example").install(signed(["a.example"]), ["a.example"])
    found = ends.of(house.host, "jazz", "a.example")
    assert found
    assert (found["kind"], found["days"] in (29, 30)) == ("files", True)


def test_without_a_certificate_there_is_nothing(house: House) -> None:
    assert ends.of(house.host, "jazz", "a.example") is None
