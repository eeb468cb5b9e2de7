# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that fail: no visitor notices, the run names the cause in one line, and the next good run converges.

tests/faults/faults.yml has these releases, and what the run must say of each.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import pytest
from faults.house import House, assert_grown, assert_same, assert_told, expectations

EXPECTED = expectations()
TRIED: set[str] = set()


def goes_wrong(house: House, name: str, injury: AbstractContextManager[None] | None = None) -> None:
    """Deploy a release that fails while visitors ask for pages, and then the good one again.

    Args:
        house: where.
        name: of the fault, in the table.
        injury: damages the host meanwhile.
    """
    TRIED.add(name)
    fault = EXPECTED[name]
    before, bystander = house.info(), house.traces("steady")
    with injury or nullcontext(), house.visitors() as visitors:
        run = house.play(acts={"shaky": fault["act"]})
    assert_told(run, fault)
    visitors.all_pleased()
    assert_grown(before, house.info(), fault.get("history", []))
    assert house.leftovers() == []
    house.good()
    assert_same(before, house.info())
    assert house.leftovers() == []
    assert house.traces("steady") == bystander


def test_fault_09_unresolvable_requirement(house: House) -> None:
    goes_wrong(house, "unresolvable requirement")


def test_fault_11_syntax_error_in_settings(house: House) -> None:
    goes_wrong(house, "syntax error in settings")


def test_fault_11_syntax_error_in_urls(house: House) -> None:
    goes_wrong(house, "syntax error in urls")


def test_a_forged_report_of_a_build_step(house: House) -> None:
    goes_wrong(house, "forged report of a step")


def test_a_build_step_that_hangs(house: House) -> None:
    goes_wrong(house, "step that does not end by itself")


def test_fault_11_missing_environment_variable(house: House) -> None:
    goes_wrong(house, "missing environment variable")


def test_fault_11_missing_secret(house: House) -> None:
    goes_wrong(house, "missing secret")


def test_fault_12_wrong_callable(house: House) -> None:
    goes_wrong(house, "wrong callable")


def test_fault_12_wrong_module(house: House) -> None:
    goes_wrong(house, "wrong module")


def test_fault_14_failing_migration(house: House) -> None:
    goes_wrong(house, "failing migration")


def test_fault_19_error_page_at_the_gate(house: House) -> None:
    goes_wrong(house, "error page at the gate")


def test_fault_19_host_that_is_not_allowed(house: House) -> None:
    goes_wrong(house, "host that is not allowed")


def test_fault_19_text_that_is_not_there(house: House) -> None:
    goes_wrong(house, "text that is not there")


def test_fault_19_answer_that_only_nginx_refuses(house: House) -> None:
    """The gate accepts it, Backstage switches, and sets `live` back."""
    goes_wrong(house, "answer that only nginx refuses")


def test_fault_19_static_url_that_nobody_can_serve(house: House) -> None:
    goes_wrong(house, "static URL that can't be served")


def test_fault_19_url_that_is_claimed_twice(house: House) -> None:
    """nginx would refuse the server block. Backstage finds it before it asks nginx."""
    goes_wrong(house, "URL that is claimed twice")


def test_fault_20_never_ready(house: House) -> None:
    goes_wrong(house, "never ready")


def test_fault_20_hanging_page_at_the_gate(house: House) -> None:
    goes_wrong(house, "hanging page at the gate")


def test_fault_20_worker_that_dies_at_the_gate(house: House) -> None:
    goes_wrong(house, "worker that dies at the gate")


def test_fault_03_no_room_for_an_environment(house: House) -> None:
    goes_wrong(house, "no room for an environment", house.nearly_full("environments", 12))


def test_fault_03_no_room_for_a_release(house: House) -> None:
    goes_wrong(house, "no room for a release", house.nearly_full("acts/shaky/releases", 1))


def test_fault_03_disk_full_while_a_release_is_built(house: House) -> None:
    """There was enough room when the build began."""
    goes_wrong(house, "disk full while a release is built", house.nearly_full("acts/shaky/releases", 40))


def test_fault_04_no_room_for_a_vassal(house: House) -> None:
    goes_wrong(house, "no room for a vassal", house.nearly_full("/etc/backstage/vassals", 0, spare_files=0))


def test_fault_05_no_inodes_for_a_release(house: House) -> None:
    goes_wrong(house, "no inodes for a release", house.nearly_full("acts/shaky/releases", 100, spare_files=20))


def test_fault_05_read_only_releases(house: House) -> None:
    goes_wrong(house, "read-only releases", house.read_only("acts/shaky/releases"))


def test_fault_13_option_that_uwsgi_does_not_know(house: House) -> None:
    """No value of the manifest can name an option. uWSGI without its Python plugin does not know Python's options."""
    goes_wrong(house, "option that uWSGI does not know", house.without("/usr/lib/uwsgi/plugins/python3_plugin.so"))


def test_every_fault_of_the_table_has_a_test(request: pytest.FixtureRequest) -> None:
    if len(request.session.items) < len(EXPECTED):
        pytest.skip("some tests were left out")
    assert set(EXPECTED) == TRIED
