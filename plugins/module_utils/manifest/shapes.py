# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The raw lists of a manifest: laid over their defaults, and every item checked by its spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import spec, values
from .problems import Problems
from .values import NO_DICTIONARY, NO_LIST

Item = dict[str, Any]

NOT_BUILT = {
    "backstage_sesses": ("idle",),
}
NOT_BUILT_VALUES = {
    ("state", "asleep"): "started or stopped",
    ("mode", "acme"): "none, selfsigned or files",
}
CHECKED = "checked"
"""The option by which the controller's half says that it has checked the lists: the module has their types already."""
OVERLAYS = {"acts": "act_defaults", "sesses": "sess_defaults", "venues": "venue_defaults"}
EMPTY: tuple[Any, ...] = (None, "", [], {})


def items(options: Mapping[str, Any], key: str, name: str, shape: spec.Spec, problems: Problems) -> list[Item]:
    """The items of one list that are right by themselves.

    Args:
        options: the module's options, or the inventory's variables.
        key: acts, sesses, venues or gigs.
        name: the key that names an item.
        shape: the argument spec of an item.
        problems: takes what is wrong with the others.
    """
    listed = options.get(key) or []
    if options.get(CHECKED):
        laid_under = _given(options.get(OVERLAYS.get(key, "")) or {})
        return [overlay(laid_under, item) for item in listed]
    if not isinstance(listed, list):
        problems.add(f"backstage_{key}", None, NO_LIST)
        return []
    below = _defaults(options, OVERLAYS.get(key, ""), f"backstage_{key}", shape, problems)
    right: list[Item] = []
    for index, item in enumerate(listed):
        where = f"backstage_{key}[{item.get(name) or index if isinstance(item, Mapping) else index}]"
        right += _checked(item, below, f"backstage_{key}", where, shape, problems)
    return right


def _defaults(options: Mapping[str, Any], key: str, table: str, shape: spec.Spec, problems: Problems) -> Item:
    """What is laid under every item; checked here, so that it is named as what it is."""
    optional = {name: rule for name, rule in spec.optional(shape).items() if name != "name"}
    given = options.get(key) or {}
    right = _checked(given, {}, table, f"backstage_{key}", optional, problems)
    return _given(given) if right else {}


def _checked(item: Any, below: Item, table: str, where: str, shape: spec.Spec, problems: Problems) -> list[Item]:
    """The item in its types, or none where something is wrong with it: everything that is, is said."""
    own = Problems()
    if isinstance(item, Mapping):
        found = _in_types(item, below, table, where, shape, own)
    else:
        own.add(where, item, NO_DICTIONARY)
        found = {}
    problems.take(own)
    return [] if own.lines else [found]


def _in_types(
    item: Mapping[str, Any], below: Item, table: str, where: str, shape: spec.Spec, problems: Problems
) -> Item:
    unbuilt = _refuse_unbuilt(table, where, item, problems)
    laid = {key: value for key, value in overlay(below, _without_unbuilt(table, item)).items() if key not in unbuilt}
    source = item.get("source")
    version = source.get("version") if isinstance(source, Mapping) else None
    if isinstance(version, (int, float)):
        problems.add(f"{where}.source.version", version, "is a number in YAML (1.10 would be 1.1); write it in quotes")
    values.check(laid, shape, where, problems)
    return {} if problems.lines else values.typed(laid, shape)


def _refuse_unbuilt(table: str, where: str, item: Mapping[str, Any], problems: Problems) -> list[str]:
    """The keys that ask for what is not built yet."""
    unbuilt = [key for key in NOT_BUILT.get(table, ()) if item.get(key) not in EMPTY]
    for key in unbuilt:
        problems.add(f"{where}.{key}", None, "this is not built yet; remove it")
    for key, value in item.items():
        if isinstance(value, str) and (key, value) in NOT_BUILT_VALUES:
            problems.add(f"{where}.{key}", value, f"this is not built yet; use {NOT_BUILT_VALUES[key, value]}")
            unbuilt.append(key)
        if isinstance(value, Mapping) and key == "tls":
            unbuilt += [key] * bool(_refuse_unbuilt(f"{table}.{key}", f"{where}.{key}", value, problems))
    return unbuilt


def _without_unbuilt(table: str, item: Mapping[str, Any]) -> Item:
    """The item without keys that are not built and ask for nothing, as the documentation lists them."""
    return {key: value for key, value in item.items() if key not in NOT_BUILT.get(table, ())}


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> Item:
    """Lay one item over another; dictionaries merge, but a source has one kind."""
    merged = dict(below)
    for key, value in above.items():
        if value is None:
            continue
        old = merged.get(key)
        mergeable = isinstance(value, dict) and isinstance(old, dict) and key != "source"
        merged[key] = overlay(old or {}, value) if mergeable else value
    return merged


def _given(item: Mapping[str, Any]) -> Item:
    return {key: value for key, value in item.items() if value is not None}
