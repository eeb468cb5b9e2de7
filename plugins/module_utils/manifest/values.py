# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check values of YAML by an argument spec. The messages use the words of YAML.

Ansible converts values by the same specs, but its messages name Python's types, and no place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional

from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_int, check_type_str

from .problems import Problems
from .spec import Spec

_CONVERT: dict[str, Callable[[Any], Any]] = {"bool": check_type_bool, "int": check_type_int, "str": check_type_str}
NO_DICTIONARY = "is no dictionary; write 'key: value' pairs"
NO_LIST = "is no list; begin every item with a hyphen"


def check(item: Mapping[str, Any], shape: Spec, where: str, problems: Problems) -> None:
    """Check the keys of a dictionary, and their values, by the spec of its options."""
    for key in item:
        if key not in shape:
            problems.add(where, None, f"unknown key {key}{nearest(str(key), shape)}")
    for key, rule in shape.items():
        value = item.get(key)
        if value is not None:
            check_value(value, rule, f"{where}.{key}", problems)
        elif rule.get("required"):
            problems.add(f"{where}.{key}", None, "is missing")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, as the end of a message; empty if none is similar."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), 1, 0.7)
    return f"; did you mean '{found[0]}'?" if found else ""


def check_value(value: Any, rule: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Check one value by its rule, and what is in it."""
    shown = None if rule.get("no_log") else value
    kind, options = rule["type"], rule.get("options")
    if kind == "dict":
        found = _converted(check_type_dict, value)
        if not isinstance(found, Mapping):
            problems.add(where, shown, NO_DICTIONARY)
        elif options:
            check(found, options, where, problems)
    elif kind == "list":
        for place, one in _listed(value, where, problems):
            check_value(one, {"type": rule["elements"], "options": options}, place, problems)
    else:
        problems.check(where, shown, _scalar(value, kind, rule.get("choices")))


def typed(item: Mapping[str, Any], shape: Spec) -> dict[str, Any]:
    """Return the item in the types of its spec, without missing keys. Ansible does the same, with deep copies.

    Args:
        item: what ``check`` has found right.
        shape: the spec of its options.
    """
    return {str(key): _typed(value, shape[key]) for key, value in item.items() if value is not None}


def _typed(value: Any, rule: Mapping[str, Any]) -> Any:
    kind, options = rule["type"], rule.get("options")
    if kind == "dict":
        found = check_type_dict(value)
        return typed(found, options) if options else found
    if kind == "list":
        element = {"type": rule["elements"], "options": options}
        return [_typed(one, element) for _place, one in _listed(value, "", Problems())]
    return _CONVERT[kind](value)


def _listed(value: Any, where: str, problems: Problems) -> list[tuple[str, Any]]:
    """Return the elements of a list with their places. A text is split at commas, as Ansible does."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        value = str(value).split(",")
    if not isinstance(value, (list, tuple)):
        problems.add(where, value, NO_LIST)
        return []
    return [(f"{where}[{number}]", one) for number, one in enumerate(value)]


def _scalar(value: Any, kind: str, choices: Optional[list[str]]) -> Optional[str]:
    if choices:
        return (
            None
            if str(value) in choices
            else f"use {' or '.join(filter(None, [', '.join(choices[:-1]), choices[-1]]))}"
        )
    if isinstance(value, (Mapping, list, tuple)):
        return "use a single value, not a list or a dictionary"
    if kind == "int" and (isinstance(value, bool) or _converted(check_type_int, value) is None):
        return "use a whole number"
    if kind == "bool" and _converted(check_type_bool, value) is None:
        return "use true or false"
    return None


def _converted(convert: Callable[[Any], Any], value: Any) -> Any:
    """Return the value as Ansible would convert it; None if it can't be converted."""
    try:
        return convert(value)
    except (TypeError, ValueError):
        return None
