# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate by dns-01, from both sides: the Producer makes the zone of challenges, and the host writes there."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import account, checks

from ... import pebbles
from ...house import House
from ...pebbles import Pebble
from ...powerdns import PowerDns
from ..producers.conftest import ZONE, run
from .test_authority import ask, asking, by_dns

__all__ = ["asking"]

ADDRESS = "127.0.0.1"
A, B = f"a.{ZONE}", f"b.{ZONE}"
KEY = f'key "backstage-jazz" {{ algorithm hmac-sha256; secret "{base64.b64encode(b"k" * 32).decode()}"; }};\n'


@pytest.fixture(scope="module")
def python() -> Iterator[str]:
    """It waits as long as on a host: name servers give an earlier answer for a while."""
    with pebbles.libraries() as found:
        script = Path(found)
        script.write_text(script.read_text().replace("seconds / 10", "seconds"))
        yield found


@pytest.fixture
def names(tmp_path: Path) -> Iterator[PowerDns]:
    """The only name server that this host knows."""
    resolver = Path("/etc/resolv.conf")
    before = resolver.read_bytes() if resolver.exists() else b""
    options = ("primary=yes", "dnsupdate=yes", "allow-dnsupdate-from=")
    with PowerDns.running(tmp_path / "names", ADDRESS, *options) as running:
        resolver.write_text(f"nameserver {ADDRESS}\n")
        yield running
        resolver.write_bytes(before)


def test_the_zone_of_challenges_proves_names(asking: House, names: PowerDns, place: Path) -> None:
    """Two names in one certificate, twice within seconds, and no TXT record is left."""
    wanted = {A: [ADDRESS], B: [ADDRESS]}
    servers = {f"ns1.{ZONE}": [ADDRESS]}
    options = {"production": "jazz", "api": names.url, "name_servers": servers, "challenge_keys": [KEY]}
    assert run(wanted, challenges=[A, B], **options).behind == []
    account.write_tsig(asking.host, "jazz", KEY)
    with Pebble.running(place, 1, names=53) as pebble:
        for _time in range(2):
            chain, _key = ask(asking, by_dns(pebble), (A, B))
            assert sorted(checks.about(chain).names) == [A, B]
            assert list(names.zone(f"acme.{ZONE}")) == [f"acme.{ZONE} NS"]
    assert run(wanted, challenges=[A, B], **options).steps == []
