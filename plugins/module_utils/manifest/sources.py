# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the manifest may say of a source. The controller resolves and fetches it (plugin_utils/sources)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from . import checks
from .nouns import Source
from .problems import Problems

KINDS = ("git", "archive", "package", "path")
# key -> the kinds that it is for; subdir is for all that have code
_FOR = {
    "version": ("git", "package"),
    "checksum": ("archive",),
    "submodules": ("git",),
    "key": ("git",),
    "username": ("git",),
    "password": ("git",),
    "subdir": ("git", "archive", "path"),
}
_WHY_NO_VERSION = {
    "path": "a path has no version; remove it",
    "archive": "an archive has no version but its checksum; remove it",
}


def parse(
    item: Optional[Mapping[str, Any]], where: str, version: Optional[str], problems: Problems
) -> Optional[Source]:
    """Return one checked source.

    Args:
        item: what the manifest says.
        where: its place in the manifest, for messages.
        version: laid over the manifest's, for this run.
        problems: takes what is wrong.
    """
    if item is None:
        return None
    kinds = [kind for kind in KINDS if item.get(kind)]
    if len(kinds) != 1:
        problems.add(where, None, f"give exactly one of {', '.join(KINDS)}, not {len(kinds)} of them")
        return None
    kind = kinds[0]
    given: dict[str, Any] = {key: item[key] for key in _FOR if item.get(key)}
    if version:
        given["version"] = version
    for key, value in given.items():
        if kind not in _FOR[key]:
            known = _WHY_NO_VERSION.get(kind, "") if key == "version" else ""
            shown = None if key in ("username", "password") else value
            problems.add(f"{where}.{key}", shown, known or f"is for {', '.join(_FOR[key])}; remove it")
    source = Source(kind, item[kind], **{key: value for key, value in given.items() if kind in _FOR[key]})
    if source.subdir:
        problems.check(f"{where}.subdir", source.subdir, checks.directory(source.subdir))
    {"git": _git, "archive": _archive, "package": _package}.get(kind, _nothing)(source, where, problems)
    return source


def _nothing(source: Source, where: str, problems: Problems) -> None:
    """A path is checked on the controller, where it is."""


def _git(source: Source, where: str, problems: Problems) -> None:
    problems.check(f"{where}.git", source.location, checks.git_location(source.location))
    if not source.version:
        problems.add(f"{where}.version", None, "is missing; name a tag, a branch or a full commit id")
    else:
        problems.check(f"{where}.version", source.version, checks.git_version(source.version))
    if bool(source.username) != bool(source.password):
        problems.add(where, None, "give username and password, or neither; with a token alone, any username will do")
    if source.password and not source.location.lower().startswith("https://"):
        problems.add(f"{where}.password", None, "is for an https URL; over ssh use 'key'")


def _archive(source: Source, where: str, problems: Problems) -> None:
    problems.check(f"{where}.archive", source.location, checks.archive_location(source.location))
    if not source.checksum:
        problems.add(f"{where}.checksum", None, "is missing; write sha256: and what sha256sum prints")
    else:
        problems.check(f"{where}.checksum", source.checksum, checks.checksum(source.checksum))


def _package(source: Source, where: str, problems: Problems) -> None:
    problems.check(f"{where}.package", source.location, checks.pinned_package(source.location))
    if source.version and "==" not in source.location:
        problems.add(f"{where}.version", source.version, "a package by its URL has no other version; name the URL")
    elif source.version:
        problems.check(f"{where}.version", source.version, checks.package_version(source.version))
