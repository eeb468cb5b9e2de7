# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerDNS as the role leaves it."""

from __future__ import annotations

from typing import Any

import house
import pytest

testinfra_hosts = ["ansible://backstage_producer"]

KEY = "/etc/powerdns/pdns.d/backstage-key.conf"


def test_the_service_runs_now_and_at_every_boot(host: Any) -> None:
    assert host.service("pdns").is_enabled
    assert host.service("pdns").is_running


def test_fault_62_the_key_and_the_api(host: Any) -> None:
    """Each host has a key of its own; only root and PowerDNS read it, and no other host reaches the API."""
    assert str(house.found(host, KEY)[KEY]) == "root:pdns 0640"
    assert host.run(f"runuser -u www-data -- cat {KEY}").rc != 0
    assert host.socket("tcp://127.0.0.1:8081").is_listening
    assert not host.socket(f"tcp://{house.address(host)}:8081").is_listening
    assert not host.socket("tcp://0.0.0.0:8081").is_listening


@pytest.mark.parametrize("player", ["almanac-hall", "almanac-hall-build"])
def test_fault_62_an_act(host: Any, player: str) -> None:
    """It reads no key, also where the name server is on its host."""
    if host.user(player).exists:
        assert "Permission denied" in host.run(f"runuser -u {player} -- cat {KEY}").stderr
