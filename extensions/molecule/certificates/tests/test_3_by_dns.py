# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates by dns-01, from nothing but hosts and a manifest, name server included. Only CAMPAIGN=1 runs this."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from faults.controller import Run
from faults.host import PROJECT, Host
from secured import AUTHORITY, DIRECTORY, Secured
from street import CORNER

ZONE = CORNER.partition(".")[2]
SECRET = base64.b64encode(b"a key of the street".ljust(32)).decode()
KEY = f'key "backstage-street" {{ algorithm hmac-sha256; secret "{SECRET}"; }};'
PLACES = f"acme.{ZONE}"
ANYWHERE = "/etc/resolv.conf"


class ByDns:
    """The Production with a name server on h1, which both hosts ask first; each host has an authority that asks it."""

    def __init__(self, street: Secured, work: Path) -> None:
        self.street = street
        self.primary, _other = street.hosts
        self.addresses = {host.name: _address(host) for host in street.hosts}
        stage = {name: {"backstage_public_address": address} for name, address in self.addresses.items()}
        groups = {"backstage_stage": {"hosts": stage}, "backstage_producer": {"hosts": {self.primary.name: {}}}}
        self._inventory = work / "names.yml"
        self._inventory.write_text(json.dumps(groups))
        street.authority("start", f"{self.addresses[self.primary.name]}:53")
        self.street.acme = {"directory": DIRECTORY, "ca": self._ca(), "tsig_key": KEY}
        self.street.venues[CORNER] = {"tls": {"mode": "acme", "challenge": "dns-01"}}

    def _ca(self) -> str:
        return "".join(host.read(f"{AUTHORITY}/ca.pem") for host in self.street.hosts)

    def resolve(self) -> None:
        """Have the hosts ask the name server first, and then whom they asked before."""
        first = f"nameserver {self.addresses[self.primary.name]}"
        add = f"{{ echo {first}; cat {ANYWHERE}; }} > /tmp/resolv; cat /tmp/resolv > {ANYWHERE}; rm /tmp/resolv"
        self.street.everywhere(lambda host: host.sh(add))

    def play(self, playbook: str, **more: Any) -> Run:
        servers = [{"name": f"ns1.{ZONE}", "addresses": [self.addresses[self.primary.name]]}]
        names = {"zones": [ZONE], "name_servers": servers}
        run = self.street.try_to_play(playbook, "-i", str(self._inventory), backstage_dns=names, **more)
        assert run.code == 0, run.printed[-3000:]
        return run

    def records(self) -> list[str]:
        """The records of challenges, without those that every zone has."""
        lines = [line.split() for line in self.primary.sh(f"pdnsutil list-zone {PLACES}").splitlines()]
        return [" ".join(words) for words in lines if len(words) > 4 and words[3] == "TXT"]


def _address(host: Host) -> str:
    garage = [str(PROJECT / "tests/garage/garage.sh"), "address", host.name]
    return subprocess.run(garage, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _is_trusted(host: Host) -> bool:
    """Whether nobody doubts the certificate who trusts the authority of the host."""
    asked = f"https://{CORNER}/ --resolve {CORNER}:443:127.0.0.1"
    return host.ok(f"curl -sf --cacert {AUTHORITY}/root.pem -o /dev/null {asked}")


def test_certificates_by_dns(street: Secured, tmp_path: Path) -> None:
    """The first one in the run that makes the records, then a renewal; each host of the name has its own."""
    by_dns = ByDns(street, tmp_path)
    by_dns.resolve()
    run = by_dns.play("site")
    assert "waiting" not in run.printed
    assert street.states() == ["ok", "ok"]
    assert street.everywhere(_is_trusted) == [True, True]
    assert by_dns.play("site").changed == 0
    street.everywhere(street.age)
    assert [said.strip() for said in street.certify()] == [f"street.{CORNER}: ok (it ends soon)"] * 2
    assert street.everywhere(_is_trusted) == [True, True]
    assert by_dns.records() == []
    by_dns.play("strike", backstage_delete_data=["busker"])
    for host in street.hosts:
        assert not host.ok("ls /var/lib/backstage /etc/backstage/certificates")
