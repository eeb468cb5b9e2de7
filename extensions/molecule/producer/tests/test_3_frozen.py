# SPDX-License-Identifier: GPL-3.0-or-later
"""A name server that is frozen, and a secondary that is away. Only CAMPAIGN=1 runs these: they wait for timeouts."""

from __future__ import annotations

from conftest import NAMES, Almanac


def test_fault_80_powerdns_is_frozen(almanac: Almanac) -> None:
    """The Act is deployed, and the DNS step ends by itself."""
    run = almanac.play(playbook="site")
    assert run.code == 0, run.printed[-3000:]
    with almanac.away(almanac.servers[0], verb="freeze"):
        run = almanac.play(acts={"hall": {"env": {"EDITION": "frozen"}}})
        assert run.code != 0
        assert "PowerDNS does not answer at http://127.0.0.1:8081 (timed out)" in run.printed
        assert almanac.answers_within(NAMES[0], 10)
    assert almanac.play().code == 0


def test_fault_83_a_secondary_that_is_away(almanac: Almanac) -> None:
    """The run names it; the next run brings it up to date, and changes nothing."""
    primary, secondary = almanac.servers
    more = {"venues": {NAMES[0]: {"aliases": [NAMES[1], "late.example.test"]}}}
    with almanac.away(secondary):
        run = almanac.play(**more)
        assert run.code == 0, run.printed[-3000:]
        assert "name server ns2.example.test" in run.printed
    run = almanac.play(**more)
    assert (run.code, run.changed) == (0, 0), run.printed[-3000:]
    assert almanac.records(secondary) == almanac.records(primary)
