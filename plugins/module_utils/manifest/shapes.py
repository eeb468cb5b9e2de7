# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists of a manifest as people wrote them: add their defaults, and check every item by its spec."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from . import spec, values
from .problems import Problems
from .values import NO_DICTIONARY, NO_LIST

Item = dict[str, Any]

NOT_BUILT_VALUES = {
    ("media", "shared"): "local, external or none",
}
CHECKED = "checked"
"""The option by which the controller's half says that it has checked the lists: the module has their types already."""
OVERLAYS = {"acts": "act_defaults", "sesses": "sess_defaults", "venues": "venue_defaults"}


def items(options: Mapping[str, Any], key: str, name: str, shape: spec.Spec, problems: Problems) -> list[Item]:
    """Return the items of one list that have no mistake by themselves.

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
    below = _defaults(options, OVERLAYS.get(key, ""), shape, problems)
    right: list[Item] = []
    for index, item in enumerate(listed):
        where = f"backstage_{key}[{item.get(name) or index if isinstance(item, Mapping) else index}]"
        right += _checked(item, below, where, shape, problems)
    return right


def _defaults(options: Mapping[str, Any], key: str, shape: spec.Spec, problems: Problems) -> Item:
    """Return the defaults of every item. They are checked here, so that a message names them and not an item."""
    optional = {name: rule for name, rule in spec.optional(shape).items() if name != "name"}
    given = options.get(key) or {}
    right = _checked(given, {}, f"backstage_{key}", optional, problems)
    return _given(given) if right else {}


def _checked(item: Any, below: Item, where: str, shape: spec.Spec, problems: Problems) -> list[Item]:
    """Return the item in its types, or none if it has a mistake. All its mistakes are reported."""
    own = Problems()
    if isinstance(item, Mapping):
        found = _in_types(item, below, where, shape, own)
    else:
        own.add(where, item, NO_DICTIONARY)
        found = {}
    problems.take(own)
    return [] if own.lines else [found]


def _in_types(item: Mapping[str, Any], below: Item, where: str, shape: spec.Spec, problems: Problems) -> Item:
    unbuilt = _refuse_unbuilt(where, item, problems)
    laid = {key: value for key, value in overlay(below, item).items() if key not in unbuilt}
    if isinstance(laid.get("when"), dt.date):
        laid["when"] = str(laid["when"])  # YAML has a date without quotes as one
    source = item.get("source")
    version = source.get("version") if isinstance(source, Mapping) else None
    if isinstance(version, (int, float)):
        problems.add(f"{where}.source.version", version, "is a number in YAML (1.10 would be 1.1); write it in quotes")
    values.check(laid, shape, where, problems)
    return {} if problems.lines else values.typed(laid, shape)


def _refuse_unbuilt(where: str, item: Mapping[str, Any], problems: Problems) -> list[str]:
    """Return the keys whose values are not built yet."""
    unbuilt = [key for key, value in item.items() if isinstance(value, str) and (key, value) in NOT_BUILT_VALUES]
    for key in unbuilt:
        instead = NOT_BUILT_VALUES[key, item[key]]
        problems.add(f"{where}.{key}", item[key], f"this is not built yet; use {instead}")
    return unbuilt


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
