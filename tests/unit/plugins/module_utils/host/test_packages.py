# SPDX-License-Identifier: GPL-3.0-or-later
"""What dpkg calls installed, and what a package was shipped with."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import packages, process, programs

STATUS = "nginx installed\nremoved config-files\nhalf half-installed\n"
MISSING = [
    # (wanted, missing)
    (["nginx"], []),
    (["nginx", "uwsgi-core"], ["uwsgi-core"]),
    (["nginx=1.22.1-9", "nginx:amd64", "nginx/bookworm"], []),
    (["removed"], ["removed"]),
    (["nginx-light"], ["nginx-light"]),
    (["half"], ["half"]),
    ([], []),
]


@pytest.mark.parametrize(("wanted", "missing"), MISSING)
def test_missing(monkeypatch: pytest.MonkeyPatch, wanted: list[str], missing: list[str]) -> None:
    """Versions and architectures are apt's to judge."""
    monkeypatch.setattr(programs, "ask", lambda *_argv: process.Result(1, STATUS, "no packages found"))
    assert packages.missing(wanted) == missing


def test_on_this_machine() -> None:
    assert packages.missing(["dpkg", "no-such-package-anywhere"]) == ["no-such-package-anywhere"]
    shipped = packages.shipped("dpkg")
    assert all(path.startswith("/etc/") and len(digest) == 32 for path, digest in shipped.items())
    assert shipped, "dpkg has configuration files"
    assert packages.shipped("no-such-package-anywhere") == {}
