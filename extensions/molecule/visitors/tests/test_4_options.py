# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a Venue, for a visitor from another address than the host's own."""

from __future__ import annotations

import base64
from typing import Any

from conftest import VENUE, Street
from faults.controller import Run

# of "a-test-password", by openssl passwd -6
HASH = "$6$saltsalt$KnGb/sPbbaVGY8KFK2OfWZgo1LSaehvOmJ2eAuErzpRYungnkWDTyesGnQhf1lilDyDmtozjZvp7M.ESvMhtF/"
ADA = "Authorization: Basic " + base64.b64encode(b"ada:a-test-password").decode()
EVE = "Authorization: Basic " + base64.b64encode(b"eve:a-test-password").decode()
STATIC = "/static/hall/hall.css"
ELSEWHERE = "203.0.113.9"


def play(street: Street, **options: Any) -> str:
    """Deploy with other options of the Venue: what Ansible printed."""
    run = street.play("--diff", venues={VENUE: options})
    assert run.code == 0, run.printed[-3000:]
    assert [step["noun"] for step in plan(run) if step["noun"] != "venue"] == [], "no Act hears of it"
    return run.printed


def plan(run: Run) -> list[dict[str, Any]]:
    (found,) = [line["result"]["plan"] for line in run.results if "plan" in line["result"]]
    return list(found)


def test_a_password(street: Street) -> None:
    printed = play(street, auth={"users": {"ada": HASH}})
    assert HASH not in printed
    assert [street.visit(path).status for path in ("/", STATIC)] == [401, 401]
    assert [street.visit("/", line).status for line in (ADA, EVE)] == [200, 401]
    assert "HTTP_AUTHORIZATION" not in street.echo(ADA)["meta"]
    assert street.host.sh("stat -c '%U:%G %a' /etc/nginx/backstage/passwords/*").strip() == "root:www-data 640"


def test_who_is_let_in(street: Street) -> None:
    play(street, deny=[street.here()])
    assert [street.visit(path).status for path in ("/", STATIC)] == [403, 403]
    play(street, allow=[street.here()])
    assert street.visit().status == 200


def test_a_rate(street: Street) -> None:
    play(street, rate={"requests": "2/m", "burst": 3})
    statuses = [street.visit().status for _number in range(8)]
    assert statuses[:4] == [200] * 4
    assert 429 in statuses[4:]
    assert street.visit(STATIC).status == 200
    assert "Retry-After" in street.visit().head


def test_fault_65_an_upload(street: Street) -> None:
    play(street, upload="100k")
    head = f"POST /upload/ HTTP/1.1\r\nHost: {VENUE}\r\nConnection: close\r\nContent-Length: "
    assert street.send(f"{head}50000\r\n\r\n".encode() + b"x" * 50000).body == b"50000\n"
    assert street.send(f"{head}200000\r\n\r\n".encode() + b"x" * 200000).status == 413


def test_a_proxy_in_front(street: Street) -> None:
    """FAULTS 64: its word is believed, and nobody else's."""
    header = f"CF-Connecting-IP: {ELSEWHERE}"
    play(street, proxies={"addresses": ["192.0.2.0/24"], "header": "CF-Connecting-IP"})
    assert street.echo(header)["meta"]["REMOTE_ADDR"] == street.here()
    play(street, proxies={"addresses": [street.here()], "header": "CF-Connecting-IP"})
    found = street.echo(header)["meta"]
    assert [found[key] for key in ("REMOTE_ADDR", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_FOR")] == [ELSEWHERE] * 3
    assert "HTTP_CF_CONNECTING_IP" not in found


def test_without_options(street: Street) -> None:
    assert f"proxies: addresses: {street.here()}, header: CF-Connecting-IP -> nothing" in play(street)
    assert street.visit().status == 200
    assert street.host.sh("ls /etc/nginx/backstage/passwords") == ""
    assert plan(street.play()) == []
