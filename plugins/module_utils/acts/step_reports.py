# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the report of act_steps like hostile input, because the Act's own code can write to it.

A report consists of lines of JSON: the names of the steps that began, and at the end the findings.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, Callable, Optional

from ..host.errors import BackstageError

MOST = 2**20
"""The maximum size of a report."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_PRINTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # several lines are allowed
_MIGRATIONS = re.compile(r"([0-9a-f]{64})?\Z")

Shape = Callable[[Any], Any]


class _Wrong(Exception):
    """The error in a value."""


def _text(most: int, pattern: Optional[re.Pattern[str]] = None) -> Shape:
    """Check a text that may go into a file."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise _Wrong("is no text")
        if len(value) > most:
            raise _Wrong(f"has {len(value)} characters, and {most} are the most")
        if _CONTROL.search(value):
            raise _Wrong("has characters that no text has")
        if pattern and not pattern.match(value):
            raise _Wrong("is no such text")
        return value

    return check


def _words(most: int, odd: re.Pattern[str] = _CONTROL) -> Shape:
    """Clean a text that is only shown to people: unprintable characters are replaced, and the end is truncated."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise _Wrong("is no text")
        return odd.sub("\ufffd", value[:most])

    return check


def _path(value: Any) -> str:
    """Check an absolute path in its shortest form, so that a prefix of it is a parent; it may be empty."""
    path: str = _text(4096)(value)
    if path and (not os.path.isabs(path) or os.path.normpath(path) != path):
        raise _Wrong("is no absolute path in its shortest form")
    return path


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("is neither true nor false")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise _Wrong("is no number")
    return value


def _optional(shape: Shape) -> Shape:
    return lambda value: None if value is None else shape(value)


def _list(shape: Shape, most: int = 10_000) -> Shape:
    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _Wrong("is no list")
        if len(value) > most:
            raise _Wrong(f"has {len(value)} items, and {most} are the most")
        return [shape(item) for item in value]

    return check


def _pair(value: Any) -> list[str]:
    pair: list[str] = _list(_text(300), 2)(value)
    if len(pair) != 2:
        raise _Wrong("is no pair")
    return pair


def _named(shape: Shape, most: int = 100, longest: int = 200) -> Shape:
    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Wrong("is no mapping")
        if len(value) > most:
            raise _Wrong(f"has {len(value)} items, and {most} are the most")
        return {_text(longest)(key): shape(item) for key, item in value.items()}

    return check


def _item(optional: tuple[str, ...] = (), **shapes: Shape) -> Shape:
    """Check a mapping with exactly these keys."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Wrong("is no mapping")
        missing = [key for key in shapes if key not in value and key not in optional]
        if missing:
            raise _Wrong(f"has no '{missing[0]}'")
        return {key: _inside(key, shapes, item) for key, item in value.items()}

    return check


def _inside(key: str, shapes: Mapping[str, Shape], item: Any) -> Any:
    if key not in shapes:
        raise _Wrong(f"has the key {key[:50]!a}, which no step reports")
    try:
        return shapes[key](item)
    except _Wrong as wrong:
        raise _Wrong(f"has '{key}', which {wrong}") from None


_NAME = _text(500)
_STEP = _words(500)
_FAILED = _item(
    ("applied", "half", "at"),
    failed=_STEP,
    error=_words(200),
    message=_words(20_000, _NOT_PRINTED),
    applied=_list(_words(300)),
    half=_words(300),
    at=_words(500),
)
_TOLD = _list(_words(2000), 300)
_BEGUN = _item(step=_STEP)
SHAPES: dict[str, Shape] = {
    "build": _item(
        settings=_NAME,
        wsgi_application=_optional(_NAME),
        asgi_application=_NAME,
        static_url=_NAME,
        static_root=_path,
        media_url=_NAME,
        media_root=_path,
        debug=_bool,
        migrations=_text(64, _MIGRATIONS),
        graph=_optional(_named(_list(_NAME), 10_000, 500)),
        databases=_named(_item(engine=_NAME, name=_text(4096), vendor=_NAME)),
        collected=_optional(_words(20_000, _NOT_PRINTED)),
        told=_TOLD,
        rotating=_list(_text(4096), 100),
        migrated=_list(_NAME, 100),
        apps=_list(_words(200), 1000),
    ),
    "migrate": _item(applied=_list(_text(300))),
    "applied": _item(applied=_list(_pair)),
    "look": _item(
        told=_TOLD,
        pages=_list(_words(2000), 100),
        warnings=_list(_words(2000)),
        unwritten=_list(_text(300)),
        pending=_list(_text(300)),
    ),
    "survey": _item(
        databases=_list(
            _item(alias=_NAME, vendor=_NAME, size=_number, tables=_number, pending=_number, owned=_bool), 100
        ),
        applied=_list(_pair),
    ),
    "dump": _item(size=_number, digest=_text(64, _MIGRATIONS)),
    "restore": _item(),
    "run": _item(),
}


def begun(report: str) -> str:
    """Return the step that began last. Before the first one, the settings are read."""
    named = [name for name in map(_begun, report.split("\n")) if name]
    return named[-1] if named else "settings"


def _begun(line: str) -> str:
    try:
        name: str = _BEGUN(_load(line))["step"]
    except _Wrong:
        return ""
    return name


def is_answered(report: str) -> bool:
    """Return whether something follows the names of the steps."""
    last = report.strip().rpartition("\n")[2]
    return bool(last) and not _begun(last)


def read(mode: str, report: str) -> dict[str, Any]:
    """Return the findings of a step, or raise the failure that it reports.

    Raises:
        BackstageError: the step failed, or the report does not have the format of this mode.
    """
    try:
        found = _load(report.strip().rpartition("\n")[2])
        failed = isinstance(found, dict) and "failed" in found
        checked: dict[str, Any] = (_FAILED if failed else SHAPES[mode])(found)
    except _Wrong as wrong:
        raise BackstageError(
            f"the Act's Python wrote a report that is not accepted: it {wrong};"
            " the project's code may have written to the report's descriptor",
            step=begun(report),
        ) from None
    return checked


def _load(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise _Wrong("is no JSON that can be read") from None
