# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates are renewed under load; what fails meanwhile is told of; nothing of it outlives the Production."""

from __future__ import annotations

import os

from secured import AUTHORITY, CORNER, KEPT, Secured, pleased

RENEWALS = 20 if os.environ.get("CAMPAIGN") else 3
VISITS = f"new=https://{CORNER}/", f"keep=https://{CORNER}/", f"new=http://{CORNER}/"
UNIT = "backstage-certificates.service"


def test_renewals_under_load(street: Secured) -> None:
    """FAULTS 71: visitors verify the chain, and not one request fails."""
    with street.watched(f"{AUTHORITY}/root.pem", *VISITS) as seen:
        for _renewal in range(RENEWALS):
            street.everywhere(street.age)
            assert [said.strip() for said in street.certify()] == [f"street.{CORNER}: ok (it ends soon)"] * 2
    for accounts in pleased(seen, requests=100 * RENEWALS // 3):
        assert accounts[VISITS[0]]["certificates"] == RENEWALS + 1
    print([{visit: [found["requests"], found["resent"]] for visit, found in accounts.items()} for accounts in seen])


def test_a_renewal_that_fails(street: Secured) -> None:
    """FAULTS 71: the old certificate serves; the unit has failed, and status and deploy say why."""
    street.authority("stop")
    street.everywhere(street.age)
    with street.watched(f"{AUTHORITY}/root.pem", *VISITS) as seen:
        for host in street.hosts:
            assert not host.ok(f"systemctl start {UNIT}")
        status = street.try_to_play("status").printed
        assert status.count(f"certificate: {CORNER}: failing: the authority does not answer at ") == 2
        assert f"the certificate of {CORNER}: failing" in street.try_to_play().printed
    pleased(seen, requests=5)
    street.authority("start")
    street.everywhere(lambda host: host.sh(f"rm {KEPT}/state.json; systemctl start {UNIT}"))
    assert street.states() == ["ok", "ok"]


def test_a_host_that_boots(street: Secured) -> None:
    street.everywhere(lambda host: host.garage("reboot"))
    assert street.is_served_within(60)
    with street.watched("-", *VISITS) as seen:
        assert street.play() == []
    pleased(seen, requests=5)
    for host in street.hosts:
        assert host.ok("systemctl is-active --quiet backstage-certificates.timer")


def test_nothing_is_left(street: Secured) -> None:
    street.authority("stop")
    run = street.try_to_play("strike", backstage_delete_data=["busker"])
    assert run.code == 0, run.printed[-3000:]
    left = ["/var/lib/backstage", "/etc/nginx/backstage", "/etc/backstage", "/usr/local/lib/backstage"]
    left += ["/run/backstage-certificates.lock", "/var/lib/systemd/timers/stamp-backstage-certificates.timer"]
    left += ["/usr/local/sbin/backstage-certificates", "/etc/systemd/system/backstage-certificates.timer"]
    for host in street.hosts:
        for path in left:
            assert not host.ok(f"ls -ld {path}"), path
        assert not host.ok("getent passwd acme")
