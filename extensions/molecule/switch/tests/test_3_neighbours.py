# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Productions on one host, with Acts of the same names. Neither notices what happens to the other one."""

from __future__ import annotations

from pathlib import Path

import pytest
from street import CORNER, SQUARE, Street, pleased

OTHER = "other.example.com"
FILES = "find /srv/backstage/street /etc/nginx/backstage/venues/street.* -type f -newer /run/noted"
FILES += " ! -path '*/data/*' ! -name .lock"


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Street:
    found = Street(Path(__file__).parents[1] / "inventory", tmp_path_factory.mktemp("neighbour"), "street2")
    found.venues = {OTHER: {}}
    found.gigs = {OTHER: {"act": "busker"}}
    return found


def untouched(street: Street, live: list[list[str]]) -> None:
    assert [street.live("busker"), street.live("juggler")] == live
    assert [host.sh(FILES) for host in street.hosts] == ["", ""]


def test_productions_do_not_touch_each_other(street: Street, neighbour: Street) -> None:
    live = [street.live("busker"), street.live("juggler")]
    for host in street.hosts:
        host.sh("touch /run/noted; sleep 0.1")
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        neighbour.play()
        neighbour.sesses["busker"]["processes"] = 1
        neighbour.play()
    pleased(seen, CORNER, SQUARE)
    untouched(street, live)
    assert [answer.json()["production"] for answer in neighbour.ask(OTHER)] == ["street2", "street2"]
    assert [answer.json()["production"] for answer in street.ask(CORNER)] == ["street", "street"]
    for host in street.hosts:
        said = host.run("ps", "-eo", "user:40=,args=").splitlines()
        owners = {line.split()[0] for line in said if " street2/busker/" in line}
        assert owners == {"street2-busker"}


def test_a_name_of_another_production_is_refused_by_its_owner(street: Street, neighbour: Street) -> None:
    neighbour.venues = {OTHER: {"aliases": [SQUARE]}}
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        run = neighbour.try_to_play()
    neighbour.venues = {OTHER: {}}
    assert run.code != 0
    assert f"the name {SQUARE} belongs to the Production street already" in run.message
    pleased(seen, CORNER, SQUARE)


def test_strike_of_one_production_leaves_the_other_one(street: Street, neighbour: Street) -> None:
    live = [street.live("busker"), street.live("juggler")]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        run = neighbour.try_to_play("strike", backstage_delete_data=["busker", "juggler"])
    assert run.code == 0, run.printed[-3000:]
    pleased(seen, CORNER, SQUARE)
    untouched(street, live)
    for host in street.hosts:
        left = host.sh("ls -d /srv/backstage/* /var/log/backstage/*; getent passwd | cut -d: -f1", check=False)
        assert "street2" not in left
        assert host.ok("systemctl is-active backstage-emperor nginx")
