# SPDX-License-Identifier: GPL-3.0-or-later
"""A primary and a secondary name server, and orders to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import manager, orders
from ansible_collections.backstage.django.plugins.module_utils.producers.dns_specs import dns

from ...powerdns import KEY, PowerDns

PRIMARY, SECONDARY = "127.0.0.53", "127.0.0.54"
ZONE = "example.test"


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[PowerDns]:
    options = ("primary=yes", f"allow-axfr-ips={SECONDARY}", f"also-notify={SECONDARY}", "only-notify=")
    with PowerDns.running(tmp_path / "primary", PRIMARY, *options) as running:
        yield running


@pytest.fixture
def secondary(tmp_path: Path) -> Iterator[PowerDns]:
    options = ("secondary=yes", f"allow-notify-from={PRIMARY}", "xfr-cycle-interval=1")
    with PowerDns.running(tmp_path / "secondary", SECONDARY, *options) as running:
        yield running


def order(names: dict[str, list[str]], **more: Any) -> orders.Order:
    """What the module would be asked, with its defaults."""
    given: dict[str, Any] = {
        "production": "cats",
        "api": f"http://{PRIMARY}:8081",
        "key": KEY,
        "zones": [ZONE],
        "name_servers": {f"ns1.{ZONE}": [PRIMARY]},
        "names": names,
        **more,
    }
    for key in ("names", "name_servers"):
        given[key] = [{"name": name, "addresses": addresses} for name, addresses in given[key].items()]
    options = {key: given.get(key, rule.get("default")) for key, rule in dns().items()}
    return orders.read(options)


def run(names: dict[str, list[str]], **more: Any) -> manager.Outcome:
    return manager.reconcile(order(names, **more))


def planned(outcome: manager.Outcome) -> list[str]:
    return [f"{step.verb} {step.name}" for step in outcome.steps]
