# SPDX-License-Identifier: GPL-3.0-or-later
"""Strike restores the host. An allow-list names what packages and the system keep. The tests find everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import house

testinfra_hosts = ["ansible://backstage_stage"]

ALLOWED = Path(__file__).resolve().parents[4] / "tests" / "garage" / "leftovers.allowed"
# the host has been rebooted meanwhile, and Debian 13 keeps logins in another file
BOOTED = """
any /run/dbus/*
any /run/initctl
any /run/motd.dynamic
any /run/shm
any /run/ssh*
any /run/utmp
any /tmp/systemd-private-*-systemd-logind.service-*
any /var/tmp/systemd-private-*-systemd-logind.service-*
any /var/log/wtmp.db
"""


def test_no_file_is_left(host: Any) -> None:
    assert house.leftovers(host, ALLOWED.read_text(encoding="utf-8") + BOOTED) == []


def test_no_user_is_left(host: Any) -> None:
    names = [line.split(":")[0] for line in house.lines(host, "getent", "passwd")]
    assert [name for name in names if name.startswith("jazz")] == []


def test_no_process_is_left(host: Any) -> None:
    assert [line for line in house.lines(host, "ps", "-eo", "args=") if "uwsgi" in line.lower()] == []


def test_nginx_serves_its_own_site_again(host: Any) -> None:
    assert "Welcome to nginx" in house.ask(house.address(host), "jamsession.localhost").text
