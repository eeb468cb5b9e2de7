# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to name servers and records: read, stopped, changed by hand and struck. In their order."""

from __future__ import annotations

from conftest import Almanac
from faults.host import Host

NAMES = ("hall.example.test", "www.hall.example.test")
BY_HAND = "mail.example.test A 192.0.2.25"


def test_both_name_servers_have_the_names(almanac: Almanac) -> None:
    here = almanac.host.sh("hostname -I").split()[0]
    for host in ("h1", "h2"):
        assert {f"{name} A {here}" for name in NAMES} < set(almanac.records(host))
    printed = almanac.play(playbook="status").printed
    assert f"DNS {NAMES[0]}: {here}\n" in printed
    assert "instead of" not in printed


def test_fault_80_powerdns_is_down(almanac: Almanac) -> None:
    """The Act is deployed; the DNS step fails alone, and the next run has nothing to mend but DNS."""
    almanac.host.sh("systemctl stop pdns")
    run = almanac.play(acts={"hall": {"env": {"EDITION": "new"}}})
    assert run.code != 0
    assert "PowerDNS does not answer at http://127.0.0.1:8081" in run.printed
    assert "EDITION" in almanac.edition()
    assert f"DNS name server ns1.example.test ({almanac.host.sh('hostname -I').split()[0]})" in (
        almanac.play(playbook="status").printed
    )
    almanac.host.sh("systemctl start pdns")
    run = almanac.play(acts={"hall": {"env": {"EDITION": "new"}}})
    assert (run.code, "changed=0" in run.printed) == (0, True), run.printed[-3000:]


def test_fault_81_nginx_starts_while_no_name_server_answers(almanac: Almanac) -> None:
    for host in ("h1", "h2"):
        Host(host).sh("systemctl stop pdns")
    almanac.host.sh("systemctl restart nginx")
    assert almanac.answers_within(NAMES[0], 10)
    for host in ("h1", "h2"):
        Host(host).sh("systemctl start pdns")


def test_fault_82_records_by_hand_stay(almanac: Almanac) -> None:
    """While the Production plays, and when it is struck; its own records are gone at both name servers."""
    almanac.host.sh("pdnsutil add-record example.test mail A 192.0.2.25 && pdnsutil increase-serial example.test")
    assert almanac.play(acts={"hall": {"env": {"EDITION": "new"}}}).code == 0
    assert BY_HAND in almanac.records("h1")
    assert almanac.play(playbook="strike").code == 0
    for host in ("h1", "h2"):
        left = almanac.records(host)
        assert BY_HAND in left
        assert [line for line in left if "hall" in line] == []
