# SPDX-License-Identifier: GPL-3.0-or-later
"""Sesses that do not start: they are removed, and the earlier one plays on."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health

from ...emperors import Emperor
from ...house import A, B, House
from .wishes import ACT, carry_out, fails, on_the_host, want


def test_fault_11_a_sess_that_ends_while_it_starts(crewed: House, emperor: Emperor) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    emperor.says = "Traceback\nModuleNotFoundError: No module named 'PIL'\n*** GAME OVER ***\nthe respawn\n"
    start = time.monotonic()
    failure = fails(crewed, want(replace(ACT, health=Health(timeout=600)), B))
    assert time.monotonic() - start < 300, "not the timeout"
    assert failure.message == "the module 'PIL' is missing: add its package, Pillow, to the requirements"
    assert failure.log.splitlines()[:2] == ["Traceback", "ModuleNotFoundError: No module named 'PIL'"]
    assert "the respawn" not in failure.log
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])


@pytest.mark.usefixtures("emperor")
def test_fault_04_no_room_for_a_vassal(crewed: House) -> None:
    crewed.build(A)
    subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "nr_inodes=1", "tmpfs", crewed.host.vassals], check=True)
    try:
        with pytest.raises(OSError, match="No space left on device"):
            carry_out(crewed, want())
    finally:
        subprocess.run(["umount", "-n", crewed.host.vassals], check=True)
    assert on_the_host(crewed) == (None, [], [])
    carry_out(crewed, want())
    assert on_the_host(crewed)[0] == f"{A}.2"


def test_fault_93_a_release_for_another_python(crewed: House, emperor: Emperor) -> None:
    """After an upgrade of Debian, in a rollback: uWSGI would say that Django is missing."""
    crewed.build(A, abi=inputs.abi())
    carry_out(crewed, want())
    crewed.build(B, abi="cpython-39-x86_64-linux-gnu")
    failure = fails(crewed, want(release=B))
    assert "was built for another Python" in failure.message
    assert failure.step == "start"
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])


def test_fault_20_a_sess_that_is_never_ready(crewed: House, emperor: Emperor) -> None:
    crewed.build(A)
    emperor.ready = False
    failure = fails(crewed, want(replace(ACT, health=Health(timeout=1))))
    assert failure.message == "the Sess was not ready within 1 s: raise health.timeout"
    assert on_the_host(crewed) == (None, [], [])
