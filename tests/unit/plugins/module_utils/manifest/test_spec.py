# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs: complete against the nouns, without defaults, secrets marked, accepted by Ansible itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Callable

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.backstage.django.plugins.module_utils.manifest import nouns, spec

NOUNS: list[tuple[Callable[[], spec.Spec], Any, set[str]]] = [
    # a noun's spec and what its data is called otherwise
    (spec.act, nouns.Act, set()),
    (spec.sess, nouns.Sess, set()),
    (spec.venue, nouns.Venue, set()),
    (spec.gig, nouns.Gig, set()),
    (spec.seed, nouns.Seed, set()),
    (spec.worker, nouns.Worker, set()),
    (spec.hooks, nouns.Hooks, set()),
    (spec.timer, nouns.Timer, set()),
    (spec.health, nouns.Health, set()),
    (spec.auth, nouns.Auth, set()),
    (spec.tls, nouns.Tls, set()),
    (spec.rate, nouns.Rate, set()),
    (spec.proxies, nouns.Proxies, set()),
    (spec.file, nouns.File, {"src"}),  # read by the controller's half
]
MODULES = [spec.production, spec.one_act, spec.one_sess, spec.one_venue, spec.one_gig]


def rules(shape: spec.Spec) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, rule in shape.items():
        yield key, rule
        yield from rules(rule.get("options", {}))


@pytest.mark.parametrize(("shape", "noun", "more"), NOUNS)
def test_complete(shape: Callable[[], spec.Spec], noun: Any, more: set[str]) -> None:
    assert set(shape()) == {field.name for field in fields(noun)} | more


@pytest.mark.parametrize(("shape", "noun", "_more"), NOUNS)
def test_an_omitted_option_is_omitted(shape: Callable[[], spec.Spec], noun: Any, _more: set[str]) -> None:
    """A default here would override what is on disk in a module for one noun."""
    assert [key for key, rule in rules(shape()) if "default" in rule] == []


@pytest.mark.parametrize("shape", MODULES)
def test_every_option_has_a_type_and_lists_have_elements(shape: Callable[[], spec.Spec]) -> None:
    for key, rule in rules(shape()):
        assert "type" in rule, key
        assert ("elements" in rule) is (rule["type"] == "list"), key


@pytest.mark.parametrize("shape", MODULES)
def test_secrets_are_marked(shape: Callable[[], spec.Spec]) -> None:
    marked = {key for key, rule in rules(shape()) if rule.get("no_log")}
    # the key of a source is the name of a file
    secrets = {"secrets", "password", "users"} | ({"key"} if "tls" in dict(rules(shape())) else set())
    assert marked == (secrets & {key for key, _rule in rules(shape())})


@pytest.mark.parametrize(
    ("shape", "given"),
    [
        (spec.production, {"production": "jazz"}),
        (spec.one_act, {"production": "jazz", "name": "kittens"}),
        (spec.one_sess, {"production": "jazz", "act": "kittens"}),
        (spec.one_venue, {"production": "jazz", "name": "a.b"}),
        (spec.one_gig, {"production": "jazz", "act": "kittens", "venue": "a.b"}),
    ],
)
def test_the_smallest_is_accepted_and_production_is_required(
    shape: Callable[[], spec.Spec], given: dict[str, str]
) -> None:
    assert ArgumentSpecValidator(shape()).validate(given).error_messages == []
    for key in given:
        missing = ArgumentSpecValidator(shape()).validate({k: v for k, v in given.items() if k != key})
        assert missing.error_messages == [f"missing required arguments: {key}"]


def test_overlays_require_nothing_and_change_no_spec() -> None:
    assert [key for key, rule in spec.optional(spec.act()).items() if rule.get("required")] == []
    assert spec.act()["name"]["required"] is True
    assert spec.optional(spec.act())["source"] == spec.act()["source"]


def test_ansible_masks_secrets() -> None:
    seed = {"name": "s", "run": "a", "secrets": {"PW": "meowmeow"}}
    given = {"production": "jazz", "acts": [{"name": "a", "secrets": {"KEY": "purrpurr"}, "seed": [seed]}]}
    found = ArgumentSpecValidator(spec.production()).validate(given)
    assert {"purrpurr", "meowmeow"} <= found._no_log_values
