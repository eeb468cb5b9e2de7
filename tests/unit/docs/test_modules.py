# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules' documentation says and ansible-test does not compare: returned keys, and defaults in the texts."""

from __future__ import annotations

import importlib
from dataclasses import MISSING, fields
from typing import Any

import pytest
import yaml
from ansible_collections.backstage.django.plugins.doc_fragments import act, gig, sess, venue
from ansible_collections.backstage.django.plugins.module_utils.manifest import nouns
from ansible_collections.backstage.django.plugins.module_utils.productions import order, results

MODULES = "ansible_collections.backstage.django.plugins.modules."
FRAGMENTS: dict[str, tuple[str, type]] = {
    "act": (act.ModuleDocFragment.DOCUMENTATION, nouns.Act),
    "sess": (sess.ModuleDocFragment.DOCUMENTATION, nouns.Sess),
    "venue": (venue.ModuleDocFragment.DOCUMENTATION, nouns.Venue),
    "gig": (gig.ModuleDocFragment.DOCUMENTATION, nouns.Gig),
}


def options(text: str) -> dict[str, Any]:
    """The options that a fragment describes."""
    found: dict[str, Any] = yaml.safe_load(text)["options"]
    return found


@pytest.mark.parametrize("noun", ["act", "sess", "venue", "gig", "production"])
def test_returned_keys(noun: str) -> None:
    returned = yaml.safe_load(importlib.import_module(f"{MODULES}backstage_{noun}").RETURN)
    more = {"resolved", "asking"} if noun == "production" else set()
    assert set(returned) - more == {*results.as_result(order.Outcome())} - {"changed"}


@pytest.mark.parametrize("noun", FRAGMENTS)
def test_defaults_in_the_texts(noun: str) -> None:
    text, known = FRAGMENTS[noun]
    defaults = {field.name: field.default for field in fields(known)}
    wrong = {}
    for key, option in options(text).items():
        default = defaults.get(key, MISSING)
        if default in (MISSING, None, "", ()) or "suboptions" in option:
            continue
        written = f"V({str(default).lower() if isinstance(default, bool) else default})"
        if f"Defaults to {written}." not in str(option["description"]):
            wrong[key] = written
    assert wrong == {}
