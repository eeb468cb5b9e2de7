# SPDX-License-Identifier: GPL-3.0-or-later
"""The plays for DNS, run by ansible-playbook against a real PowerDNS server."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from plugins.powerdns import KEY, PowerDns

PROJECT = Path(__file__).parents[3]
PLAYBOOKS = PROJECT / "playbooks"
ADDRESS = "127.0.0.53"
ZONE = "example.test"
NAME = f"kittens.{ZONE}"
MANIFEST: dict[str, Any] = {
    "backstage_production": "cats",
    "backstage_acts": [{"name": "kittens", "source": {"path": "/kittens"}}],
    "backstage_sesses": [{"act": "kittens", "hosts": "web1"}],
    "backstage_venues": [{"name": NAME, "aliases": [f"www.{NAME}"]}],
    "backstage_gigs": [{"act": "kittens", "venue": NAME}],
}
HOSTS = {"web1": {"backstage_public_address": ["192.0.2.1", "2001:db8::1"]}, "web2": {}}
DNS = {
    "api": f"http://{ADDRESS}:8081",
    "key": KEY,
    "zones": [ZONE],
    "name_servers": [{"name": f"ns1.{ZONE}", "addresses": [ADDRESS]}],
    "ttl": None,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PowerDns]:
    with PowerDns.running(tmp_path / "server", ADDRESS) as running:
        yield running


def play(place: Path, *options: str, playbook: str = "plays/dns.yml", **variables: Any) -> tuple[int, str]:
    """Run a playbook on hosts that can't be reached; the controller is this machine."""
    inventory = {
        "backstage_stage": {
            "hosts": {name: {"ansible_host": "192.0.2.99", **given} for name, given in HOSTS.items()},
            "vars": {**MANIFEST, "backstage_dns": DNS, **variables},
        }
    }
    (place / "inventory.yml").write_text(json.dumps(inventory))
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", place / "inventory.yml", *options]
    done = subprocess.run(
        [*argv, PLAYBOOKS / playbook],
        cwd=place,
        env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "HOME": str(place), "ANSIBLE_TIMEOUT": "5"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_name_server_outside_the_inventory(server: PowerDns, tmp_path: Path) -> None:
    """The controller asks it. The key is in no output, and no host is contacted."""
    code, said = play(tmp_path, "-vvv")
    assert code == 0, said
    assert KEY not in said
    records = server.zone(ZONE)
    assert (records[f"{NAME} A"], records[f"www.{NAME} AAAA"]) == (["192.0.2.1"], ["2001:db8::1"])
    code, said = play(tmp_path)
    assert (code, "changed=0" in said) == (0, True), said
    code, said = play(tmp_path, "-e", "through=build", backstage_gigs=[], backstage_prune=True)
    assert (code, server.zone(ZONE)) == (0, records), said
    code, said = play(tmp_path, "-e", "__backstage_dns_leaves=true")
    assert code == 0, said
    assert list(server.zone(ZONE)) == [f"ns1.{ZONE} A", f"{ZONE} NS"]


def test_names_that_hosts_prove_by_dns(server: PowerDns, tmp_path: Path) -> None:
    """The key of the manifest is in no output. If the challenge is another one, the key counts no more."""
    secret = base64.b64encode(b"a key of hosts".ljust(32)).decode()
    key = f'key "backstage-cats" {{ algorithm hmac-sha256; secret "{secret}"; }};'
    tls = {"mode": "acme", "challenge": "dns-01"}
    given = {"backstage_acme": {"tsig_key": key}, "backstage_venues": [{"name": NAME, "tls": tls}]}
    code, said = play(tmp_path, "-vvv", **given)
    assert code == 0, said
    assert secret not in said
    assert server.zone(ZONE)[f"_acme-challenge.{NAME} CNAME"] == [f"{NAME}.acme.{ZONE}."]
    assert server.ask("GET", "/tsigkeys/backstage-cats.")[1]["key"] == secret
    code, said = play(tmp_path, **given)
    assert (code, "changed=0" in said) == (0, True), said
    code, said = play(tmp_path)
    assert code == 0, said
    assert f"_acme-challenge.{NAME} CNAME" not in server.zone(ZONE)
    assert server.ask("GET", "/tsigkeys/backstage-cats.")[0] == 404


def test_dns_trouble_is_named(server: PowerDns, tmp_path: Path) -> None:
    """FAULTS 80: a wrong key, and a server that is stopped."""
    code, said = play(tmp_path, backstage_dns={**DNS, "key": "wrong"})
    assert (code, "the API key is not this server's" in said) == (2, True), said
    server.stop()
    code, said = play(tmp_path)
    assert (code, "PowerDNS does not answer at" in said) == (2, True), said


def test_status_says_where_names_point(server: PowerDns, tmp_path: Path) -> None:
    """The last play of status, on this machine. The first play, which reads what plays, is left out."""
    plays = yaml.safe_load((PLAYBOOKS / "status.yml").read_text())
    (tmp_path / "vars").symlink_to(PLAYBOOKS / "vars")
    path = tmp_path / "status.yml"
    path.write_text(json.dumps(plays[-1:]))
    here = ["-e", "ansible_connection=local", "-e", "ansible_become=false"]
    here += ["-e", f"ansible_python_interpreter={sys.executable}"]
    play(tmp_path)
    server.by_hand(ZONE, f"www.{NAME}", "A", "192.0.2.9")
    code, said = play(tmp_path, *here, playbook=str(path))
    assert code == 0, said
    assert f"\nDNS {NAME}: 192.0.2.1, 2001:db8::1\n" in said, said
    wrong = f"192.0.2.9, 2001:db8::1 instead of 192.0.2.1, 2001:db8::1 (ns1.{ZONE}, {ADDRESS})"
    assert f"\nDNS www.{NAME}: {wrong}\n" in said, said
    code, said = play(tmp_path, *here, playbook=str(path), backstage_dns={})
    assert (code, "skipping: [web1]" in said) == (0, True), said


def test_certificates_that_wait_for_records(tmp_path: Path) -> None:
    """The last play starts the program for those that the deploy left to it; what does not come of it fails nothing."""
    last = yaml.safe_load((PLAYBOOKS / "plays/dns.yml").read_text())[-1:]
    program, asked = tmp_path / "backstage-certificates", tmp_path / "asked"
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n[ ! -e {tmp_path}/down ] || ! echo nobody there\n')
    program.chmod(0o755)
    path = tmp_path / "dns.yml"
    path.write_text(json.dumps(last).replace("/usr/local/sbin/backstage-certificates", str(program)))
    here = ["--limit", "web1", "-e", "ansible_connection=local", "-e", "ansible_become=false"]
    here += ["-e", f"ansible_python_interpreter={sys.executable}"]
    code, said = play(tmp_path, *here, playbook=str(path))
    assert (code, asked.exists()) == (0, False), said
    made = {"asking": [f"cats.{NAME}", "cats.b.example"]}
    code, said = play(tmp_path, *here, playbook=str(path), __backstage_made=made)
    assert (code, asked.read_text(), "changed=0" in said) == (0, f"--now cats.{NAME} cats.b.example\n", True), said
    assert "nobody there" not in said
    (tmp_path / "down").touch()
    code, said = play(tmp_path, *here, playbook=str(path), __backstage_made=made)
    assert (code, "nobody there" in said) == (0, True), said


@pytest.mark.parametrize(
    ("acme", "dns", "found"),
    [
        ({"tsig_key": "key"}, DNS, True),
        ({"tsig_key": ""}, DNS, False),
        ({"contact": "ada@example.com"}, DNS, False),
        (None, DNS, False),
        ({"tsig_key": "key"}, None, False),
        ({"tsig_key": "key"}, {}, False),
    ],
)
def test_whether_records_follow(acme: Any, dns: Any, found: bool) -> None:
    """Whether a deploy leaves it to the last play, which comes after the records, to have certificates asked for."""
    loader = DataLoader()
    (task,) = loader.load_from_file(str(PLAYBOOKS / "tasks/production.yml"), trusted_as_template=True)
    option = task["backstage.django.backstage_production"]["dns_follows"]
    given = {"backstage_acme": acme, "backstage_dns": dns}
    for variables in (given, {key: value for key, value in given.items() if value}):
        assert Templar(loader, variables=variables).template(option) is found


@pytest.mark.parametrize("playbook", ["site", "deploy", "strike"])
def test_dns_comes_last(playbook: str) -> None:
    """FAULTS 80: a failure there prevents no other play."""
    plays = yaml.safe_load((PLAYBOOKS / f"{playbook}.yml").read_text())
    assert plays[-1]["ansible.builtin.import_playbook"] == "plays/dns.yml"
    assert plays[-1].get("vars") == ({"__backstage_dns_leaves": True} if playbook == "strike" else None)


@pytest.mark.parametrize(
    ("host", "primary", "peers"),
    [("ns1", True, ["192.0.2.2", "192.0.2.3", "ns4"]), ("ns2", False, ["192.0.2.1"]), ("web1", False, ["192.0.2.1"])],
)
def test_addresses_of_name_servers(host: str, primary: bool, peers: list[str]) -> None:
    loader = DataLoader()
    variables = loader.load_from_file(str(PLAYBOOKS / "vars/dns.yml"), trusted_as_template=True)
    hosts: dict[str, dict[str, str]] = {
        "ns1": {"backstage_address": "192.0.2.1", "ansible_host": "198.51.100.1"},
        "ns2": {"backstage_address": "192.0.2.2"},
        "ns3": {"ansible_host": "192.0.2.3"},
        "ns4": {},
    }
    given = {
        "groups": {"backstage_producer": list(hosts)},
        "hostvars": {name: {"inventory_hostname": name, **own} for name, own in hosts.items()},
        "inventory_hostname": host,
    }
    templar = Templar(loader, variables={**variables, **given})
    assert templar.template(variables["__backstage_is_primary"]) is primary
    assert templar.template(variables["__backstage_peer_addresses"]) == peers
