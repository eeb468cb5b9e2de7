# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as people write them: whatever a YAML file holds in place of what is right is told in YAML's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec, values
from ansible_collections.backstage.django.plugins.module_utils.manifest.problems import Problems

from ...manifests import VENUE, Item, act, options, refused

SINGLE = "use a single value, not a list or a dictionary"
RULES: list[tuple[Item, Any, list[str]]] = [
    ({"type": "int"}, "5", []),
    ({"type": "int"}, 5, []),
    ({"type": "int"}, 5.5, ["a: 5.5: use a whole number"]),
    ({"type": "int"}, True, ["a: True: use a whole number"]),
    ({"type": "int"}, "five", ["a: 'five': use a whole number"]),
    ({"type": "int"}, [5], ["a: [5]: use a single value, not a list or a dictionary"]),
    ({"type": "bool"}, "yes", []),
    ({"type": "bool"}, 2, ["a: 2: use true or false"]),
    ({"type": "str"}, 5, []),
    ({"type": "str"}, {"b": 1}, ["a: {'b': 1}: use a single value, not a list or a dictionary"]),
    ({"type": "str", "choices": ["b"]}, "b", []),
    ({"type": "str", "choices": ["b"]}, "c", ["a: 'c': use b"]),
    ({"type": "str", "choices": ["b", "c"]}, "d", ["a: 'd': use b or c"]),
    ({"type": "str", "choices": ["b", "c", "d"]}, ["b"], ["a: ['b']: use b, c or d"]),
    ({"type": "list", "elements": "str"}, "b,c", []),
    ({"type": "list", "elements": "str"}, ["b", 5], []),
    ({"type": "list", "elements": "str"}, ["b", ["c"]], ["a[1]: ['c']: " + SINGLE]),
    ({"type": "list", "elements": "str"}, {"b": 1}, [f"a: {{'b': 1}}: {values.NO_LIST}"]),
    ({"type": "list", "elements": "int"}, [200, "ok"], ["a[1]: 'ok': use a whole number"]),
    ({"type": "list", "elements": "dict"}, ["b"], [f"a[0]: 'b': {values.NO_DICTIONARY}"]),
    ({"type": "dict"}, {"b": 1}, []),
    ({"type": "dict"}, '{"b": 1}', []),
    ({"type": "dict"}, "b", [f"a: 'b': {values.NO_DICTIONARY}"]),
    ({"type": "dict"}, ["b"], [f"a: ['b']: {values.NO_DICTIONARY}"]),
    ({"type": "dict", "no_log": True}, "purrpurr", [f"a: {values.NO_DICTIONARY}"]),
    ({"type": "dict", "options": {"b": {"type": "int"}}}, {"b": "c"}, ["a.b: 'c': use a whole number"]),
    ({"type": "dict", "options": {"bell": {"type": "int"}}}, {"bel": 1}, ["a: unknown key bel; did you mean 'bell'?"]),
    ({"type": "dict", "options": {"b": {"type": "str", "required": True}}}, {}, ["a.b: is missing"]),
]


@pytest.mark.parametrize(("rule", "value", "lines"), RULES)
def test_value(rule: Item, value: Any, lines: list[str]) -> None:
    """Accepted is what Ansible can convert, but for a dictionary as a text, and true as a number."""
    problems = Problems()
    values.check_value(value, rule, "a", problems)
    assert problems.lines == lines
    if not lines:
        assert ArgumentSpecValidator({"a": rule}).validate({"a": value}).error_messages == []


def test_what_is_right_comes_in_the_types_that_ansible_gives_it() -> None:
    """For every rule of this table, and for every key of every noun with every kind of value."""
    right = [({"a": rule}, {"a": value}) for rule, value, lines in RULES if not lines]
    for shape in (spec.act(), spec.sess(), spec.venue(), spec.gig()):
        right += [
            (spec.optional(shape), nested(path, odd)) for path in keys(shape) for odd in [*ODD, "7", "yes", "a,b"]
        ]
    compared = 0
    for shape, item in right:
        problems = Problems()
        values.check(item, shape, "", problems)
        if not problems.lines:
            expected = ArgumentSpecValidator(shape).validate(item)
            assert not expected.error_messages
            assert values.typed(item, shape) == given(expected.validated_parameters), item
            compared += 1
    assert compared > 200


def given(value: Any) -> Any:
    """Without what Ansible adds for options that nobody gave."""
    if isinstance(value, dict):
        return {key: given(one) for key, one in value.items() if one is not None}
    return [given(one) for one in value] if isinstance(value, list) else value


ODD = [True, 5, 1.5, "text", ["list"], {"key": "value"}, [["list"]], [{"key": "value"}], [None], "x" * 2000]


def keys(shape: spec.Spec, *path: str) -> Iterator[tuple[str, ...]]:
    for key, rule in shape.items():
        yield (*path, key)
        if rule["type"] == "dict":
            yield from keys(rule.get("options", {}), *path, key)


def nested(path: tuple[str, ...], value: Any) -> Item:
    return {path[0]: nested(path[1:], value) if path[1:] else value}


@pytest.mark.parametrize("odd", ODD, ids=[str(odd)[:20] for odd in ODD])
def test_messages_use_no_words_of_python(odd: Any) -> None:
    """Every key of every noun, with every kind of value."""
    told = []
    for path in keys(spec.act()):
        told += refused(options(acts=[{**act(), **nested(path, odd)}]))
        told += refused(options(act_defaults=nested(path, odd)))
    for path in keys(spec.sess()):
        told += refused(options(sesses=[{"act": "kittens", **nested(path, odd)}]))
    for path in keys(spec.venue()):
        told += refused(options(venues=[{"name": VENUE, **nested(path, odd)}]))
    for path in keys(spec.gig()):
        told += refused(options(gigs=[{"act": "kittens", "venue": VENUE, **nested(path, odd)}]))
    assert told
    for line in told:
        assert not re.search(r"<class|type str|convert|JSON|key=value", line), line
        assert len(line) < 400, line
