# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/manifest.md say what the code does: every key, its type, its default, and what it makes."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs, nouns, shapes, spec
from pages import PROJECT, tables

TABLES = tables("manifest.md")
NOUNS: dict[str, tuple[Callable[[], spec.Spec], type]] = {
    "backstage_acts": (spec.act, nouns.Act),
    "source": (spec.source, nouns.Source),
    "files": (spec.file, nouns.File),
    "seed": (spec.seed, nouns.Seed),
    "workers": (spec.worker, nouns.Worker),
    "hooks": (spec.hooks, nouns.Hooks),
    "timers": (spec.timer, nouns.Timer),
    "health": (spec.health, nouns.Health),
    "backstage_sesses": (spec.sess, nouns.Sess),
    "limits": (spec.limits, nouns.Limits),
    "backstage_venues": (spec.venue, nouns.Venue),
    "backstage_gigs": (spec.gig, nouns.Gig),
}
EMPTY: tuple[Any, ...] = (None, "", [], {}, ())


def written_type(rule: dict[str, Any]) -> str:
    """A type as the tables write it."""
    if "choices" in rule:
        return " or ".join(f"`{choice}`" for choice in rule["choices"])
    return f"list of {rule['elements']}" if rule["type"] == "list" else str(rule["type"])


def written_default(key: str, rule: dict[str, Any], noun: type) -> str:
    """A default as the tables write it; an empty one is none, and so is that of a dictionary with keys of its own."""
    if rule.get("required"):
        return "required"
    known = {field.name: field for field in fields(noun)}
    if key not in known or "options" in rule:
        return "none"
    field = known[key]
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if value in EMPTY or value is MISSING:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize("heading", NOUNS)
def test_every_key_its_type_and_its_default(heading: str) -> None:
    shape, noun = NOUNS[heading]
    expected = {key: (written_type(rule), written_default(key, rule, noun)) for key, rule in shape().items()}
    assert {row["key"].strip("`"): (row["type"], row["default"]) for row in TABLES[heading]} == expected


@pytest.mark.parametrize(
    ("heading", "makes"), [("backstage_acts", inputs.ACT_KEYS), ("backstage_sesses", inputs.SESS_KEYS)]
)
def test_what_a_key_makes(heading: str, makes: dict[str, str]) -> None:
    said = {row["key"].strip("`"): row["makes"].lower() for row in TABLES[heading]}
    assert said == makes


def test_the_values_that_are_refused_for_now() -> None:
    text = (PROJECT / "docs" / "manifest.md").read_text(encoding="utf-8").partition("## Refused for now")[2]
    assert [value for _key, value in shapes.NOT_BUILT_VALUES if f"`{value}`" not in text] == []
