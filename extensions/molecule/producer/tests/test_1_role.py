# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerDNS as the role leaves it."""

from __future__ import annotations

from typing import Any

import house

testinfra_hosts = ["ansible://backstage_producer"]

KEY = "/etc/powerdns/pdns.d/backstage-key.conf"
DATA = "/var/lib/powerdns"


def test_the_service_runs_now_and_at_every_boot(host: Any) -> None:
    assert host.service("pdns").is_enabled
    assert host.service("pdns").is_running


def test_fault_62_other_users_and_hosts_reach_no_key_and_no_api(host: Any) -> None:
    assert str(house.found(host, KEY)[KEY]) == "root:pdns 0640"
    assert str(house.found(host, DATA)[DATA]) == "pdns:pdns 0750"
    assert host.run(f"runuser -u www-data -- cat {KEY}").rc != 0
    assert host.socket("tcp://127.0.0.1:8081").is_listening
    assert not host.socket(f"tcp://{house.address(host)}:8081").is_listening
    assert not host.socket("tcp://0.0.0.0:8081").is_listening
