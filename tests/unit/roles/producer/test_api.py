# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 62: with the role's configuration, only programs of the host reach PowerDNS's API."""

from __future__ import annotations

import http.client
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from plugins.powerdns import API_PORT, KEY, PowerDns
from test_roles import ROLES, load, render

ADDRESS = "127.0.0.53"
PEER = "127.0.0.54"


@pytest.fixture(params=["primary", "secondary"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PowerDns]:
    """A server with the role's configuration. Only its directories are those of the test."""
    text = render(
        "producer",
        "backstage.conf.j2",
        producer_kind=request.param,
        producer_peers=[PEER],
        __producer_addresses=[ADDRESS],
    )
    place = tmp_path / "pdns"
    (tmp_path / "pdns.d").mkdir()
    (tmp_path / "pdns.d/backstage.conf").write_text(text)
    (tmp_path / "pdns.d/backstage-key.conf").write_text(f"api-key={KEY}\n")
    with PowerDns.configured(place, ADDRESS, tmp_path / "pdns.d") as running:
        yield running


def status(address: str, path: str, key: str = "") -> int:
    with closing(http.client.HTTPConnection(address, API_PORT, timeout=60)) as client:
        client.request("GET", path, headers={"X-API-Key": key} if key else {})
        return client.getresponse().status


def test_the_api(server: PowerDns) -> None:
    path = "/api/v1/servers/localhost/zones"
    assert (status("127.0.0.1", path, KEY), status("127.0.0.1", path), status("127.0.0.1", path, "wrong")) == (
        200,
        401,
        401,
    )
    for address in (ADDRESS, "127.0.0.2"):
        with pytest.raises(ConnectionRefusedError), socket.create_connection((address, API_PORT), 10):
            pass


def test_no_program_of_the_host_changes_a_zone_without_a_key(server: PowerDns) -> None:
    """FAULTS 62: by itself PowerDNS takes DNS UPDATE from every program of its host, such as an Act."""
    made = {"name": "example.test.", "kind": "Native", "nameservers": ["ns1.example.test."]}
    assert server.ask("POST", "/zones", made)[0] == 201
    text = f"server {ADDRESS}\nzone example.test.\nupdate add bar.example.test. 60 A 192.0.2.66\nsend\n"
    done = subprocess.run(["nsupdate", "-t", "10"], input=text, capture_output=True, text=True, check=False, timeout=60)
    assert "REFUSED" in done.stderr
    assert list(server.zone("example.test")) == ["example.test NS"]


def test_only_root_and_powerdns_read_the_key() -> None:
    """No other user of the host can, such as an Act's."""
    tasks = load(ROLES / "producer/tasks/once.yml")
    (made,) = [task["ansible.builtin.copy"] for task in tasks if "ansible.builtin.copy" in task]
    assert (made["owner"], made["group"], made["mode"]) == ("root", "pdns", "0640")
