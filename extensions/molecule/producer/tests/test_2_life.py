# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a Production while PowerDNS is stopped, changed by hand and struck. The tests run in this order."""

from __future__ import annotations

import pytest
from conftest import NAMES, ZONE, Almanac

KEY = "/etc/powerdns/pdns.d/backstage-key.conf"
BY_HAND = f"mail.{ZONE} A 192.0.2.25"
NEW = {"acts": {"hall": {"env": {"EDITION": "new"}}}}


def test_both_name_servers_have_the_names(almanac: Almanac) -> None:
    for server in almanac.servers:
        assert {f"{name} A {almanac.address}" for name in NAMES} < set(almanac.records(server))
    printed = almanac.status()
    assert f"DNS {NAMES[0]}: {almanac.address}\n" in printed
    assert "instead of" not in printed


@pytest.mark.parametrize("user", ["almanac-hall", "almanac_hall"])
def test_fault_62_an_act_on_the_same_host_reads_no_key(almanac: Almanac, user: str) -> None:
    assert "Permission denied" in almanac.host.sh(f"runuser -u {user} -- cat {KEY} 2>&1", check=False)


def test_fault_80_powerdns_is_stopped(almanac: Almanac) -> None:
    """The Act is deployed, the DNS step fails alone, and the next run has nothing left to change."""
    with almanac.away(almanac.servers[0]):
        run = almanac.play(**NEW)
        assert run.code != 0
        assert "PowerDNS does not answer at http://127.0.0.1:8081" in run.printed
        assert '"EDITION"' in almanac.get(NAMES[0], "/variables/")["page"]
        assert f"DNS name server ns1.{ZONE} ({almanac.address})" in almanac.status()
    run = almanac.play(**NEW)
    assert (run.code, run.changed) == (0, 0), run.printed[-3000:]


def test_fault_81_nginx_starts_while_no_name_server_answers(almanac: Almanac) -> None:
    with almanac.away(*almanac.servers):
        almanac.host.sh("systemctl restart nginx")
        assert almanac.answers_within(NAMES[0], 10)


def test_fault_82_records_by_hand_stay(almanac: Almanac) -> None:
    """A deploy and a strike leave them; the records of the Production are gone from both name servers (FAULTS 83)."""
    primary = almanac.servers[0]
    primary.sh(f"pdnsutil add-record {ZONE} mail A 192.0.2.25 && pdnsutil increase-serial {ZONE}")
    run = almanac.play(**NEW)
    assert run.code == 0, run.printed[-3000:]
    assert BY_HAND in almanac.records(primary)
    run = almanac.play(playbook="strike")
    assert run.code == 0, run.printed[-3000:]
    for server in almanac.servers:
        left = almanac.records(server)
        assert BY_HAND in left
        assert [line for line in left if "hall" in line] == []
