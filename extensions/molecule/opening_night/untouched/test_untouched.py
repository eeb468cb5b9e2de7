# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode of the whole Production on an empty host changes nothing (FAULTS 36)."""

from __future__ import annotations

from typing import Any

import house

testinfra_hosts = ["ansible://backstage_stage"]

# Ansible's own directory, and what a running host writes by itself
ALLOWED = """
any /root/.ansible
any /root/.ansible/*
any /run/*
any /var/log/journal/*
any /var/log/wtmp*
any /var/log/lastlog
any /var/lib/systemd/*
"""


def test_check_mode_changed_nothing(host: Any) -> None:
    assert house.leftovers(host, ALLOWED) == []


def test_check_mode_installed_nothing(host: Any) -> None:
    assert not host.package("nginx").is_installed
    assert not host.package("uwsgi-core").is_installed
