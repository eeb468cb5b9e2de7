# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a Producer is checked before any server is asked anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import dns_specs, manager, orders

from ...told import told


def options(**given: Any) -> dict[str, Any]:
    defaults = {key: rule.get("default") for key, rule in dns_specs.dns().items()}
    return {**defaults, "production": "cats", "key": "secret-key", "zones": ["example.test"], **given}


WRONG = [
    ({"production": "Cats"}, "production: 'Cats': use a letter"),
    ({"api": "http://ada:secret@dns.example"}, "api: use a URL without credentials"),
    ({"api": "file:///etc/passwd"}, "api: 'file:///etc/passwd': use a URL"),
    ({"zones": ["../etc"]}, "zones: '../etc': use a DNS host name"),
    ({"zones": ["Example.test."]}, "zones: 'Example.test.': write it as 'example.test'"),
    ({"ttl": 0}, "ttl: 0: "),
    ({"names": [{"name": "a b.example.test", "addresses": []}]}, "names: 'a b.example.test': use a DNS host name"),
    ({"names": [{"name": "a.example.test", "addresses": ["10.0.0.999"]}]}, "names[a.example.test].addresses: '10.0"),
    ({"names": [{"name": "a.example.test", "addresses": ["fe80::1%eth0"]}]}, "'fe80::1%eth0': is no address"),
    ({"names": [{"name": "a.example.test", "addresses": []}] * 2}, "names: 'a.example.test': is there twice"),
    ({"name_servers": [{"name": "ns1.example.test", "addresses": []}]}, "name_servers[ns1.example.test].addresses: g"),
    ({"primaries": ["ns1"]}, "primaries: 'ns1': is no address"),
    (
        {"primaries": ["192.0.2.1"], "names": [{"name": "a.example.test", "addresses": []}]},
        "names: a server with primaries copies its records",
    ),
    ({"key": "two words"}, "the key of PowerDNS's API is empty, or holds blanks"),
    ({"key": None, "key_file": "/nonexistent/key"}, "/nonexistent/key, which holds the key of PowerDNS's API: No such"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
def test_what_is_refused(given: dict[str, Any], said: str) -> None:
    message = told(orders.read, options(**given))
    assert said in message
    assert "secret" not in message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert len(told(orders.read, options(ttl=0, zones=["a b"])).splitlines()) == 2


def test_check_mode_plans_for_a_host_without_powerdns() -> None:
    """A run of site with --check on an empty host; a file that is there and can't be read is still named."""
    missing = options(
        key=None, key_file="/nonexistent/key", name_servers=[{"name": "ns1.a.test", "addresses": ["::1"]}]
    )
    planned = manager.check(orders.read(missing, check_mode=True))
    assert [step.entry()["verb"] for step in planned.steps] == ["create"]
    copied = manager.check(orders.read({**missing, "primaries": ["192.0.2.1"]}, check_mode=True))
    assert [step.entry()["verb"] for step in copied.steps] == ["copy"]
    assert "Is a directory" in told(orders.read, {**missing, "key_file": "/"}, check_mode=True)


@pytest.mark.parametrize(
    "text", ["secret-key\n", "# ours\napi-key=secret-key\n", "api-key = secret-key\nwebserver=yes\n"]
)
def test_the_key_in_a_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    assert orders.read(options(key=None, key_file=str(path))).key == "secret-key"


def test_addresses_are_written_as_powerdns_writes_them() -> None:
    listed = [{"name": "a.example.test", "addresses": ["2001:DB8:0::1", "2001:db8::1", "192.0.2.7"]}]
    assert orders.read(options(names=listed)).names == {"a.example.test": ["2001:db8::1", "192.0.2.7"]}
