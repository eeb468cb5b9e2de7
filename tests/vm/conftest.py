# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines: each is built and booted once, for all tests of a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from guests import LIMITS, manifest, wait_for
from machine import SUITES, Machine, place


@pytest.fixture(scope="session", params=SUITES)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """One that was set up as a container, and has booted as a machine: no run has come since."""
    found = Machine(request.param, place())
    try:
        played = found.build(manifest(LIMITS))
        warned = [line for line in played.printed.splitlines() if "nothing on this host holds" in line]
        assert len(warned) <= 1, "a container with limits is told so in one line"
        print(f"\n{found.suite}: set up in {played.seconds:.0f} s {warned}", end="")
        print(f", booted in {found.boot():.0f} s")
        wait_for(found)
        yield found
    finally:
        found.close()
        shutil.rmtree(found.work)
