# SPDX-License-Identifier: GPL-3.0-or-later
"""A frozen name server, a secondary that is away, and challenges. Only CAMPAIGN=1 runs these tests."""

from __future__ import annotations

from challenges import answers_challenges
from conftest import NAMES, Almanac


def test_fault_80_powerdns_is_frozen(almanac: Almanac) -> None:
    """The Act is deployed, and the DNS step ends by itself."""
    run = almanac.play(playbook="site")
    assert run.code == 0, run.printed[-3000:]
    with almanac.away(almanac.servers[0], frozen=True):
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


def test_fault_62_a_host_answers_challenges(almanac: Almanac) -> None:
    """It writes through PowerDNS of Debian 12."""
    primary, other = almanac.servers
    answers_challenges(almanac, primary, other)
