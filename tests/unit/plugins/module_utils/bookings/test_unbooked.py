# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act that rehearses: it knows its Venues, whoever has their names, and nobody is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import names
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Venue
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order

from ...house import House
from ...manifests import COMMIT, VENUE, booked, parse

RESOLVED = {"kittens": {"content": COMMIT, "label": "v1"}}


@pytest.mark.parametrize("private", [True, False])
def test_nginx_and_who_has_the_names(house: House, private: bool) -> None:
    """The Venue plays something else in another Production: a rehearsal is not refused for it."""
    house.book(Venue(VENUE))
    manifest = replace(parse(**booked(production="cats")), production=names.REHEARSAL)
    outcome = production.check(Order(manifest, RESOLVED, private=private))
    verbs = [f"{step.verb} {step.noun}" for step in outcome.steps]
    if private:
        assert outcome.errors == []
        assert verbs == ["build act", "migrate act", "play sess", "add act"]
        assert production.wanted_release(Order(manifest, RESOLVED, private=True), "kittens") == outcome.steps[0].after
    else:
        assert [error.step for error in outcome.errors] == ["booking"]
        assert "play sess" not in verbs


def test_the_production_of_rehearsals_is_nobody_elses() -> None:
    assert names.REHEARSAL in names.RESERVED_PRODUCTIONS
    assert names.PRODUCTION.match(names.REHEARSAL)
