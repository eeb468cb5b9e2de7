# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The URL prefixes of a release that nginx serves from files, and what of it they lead to."""

from __future__ import annotations

from typing import Any

from ..host.layout import OTHERS
from ..manifest.inputs import PATH

Record = dict[str, Any]


def below(path: str) -> str:
    """The URL prefix of all that lies below a Gig's path."""
    return path.rstrip("/") + "/"


def urls(release: Record, path: str) -> tuple[list[str], list[str], list[str]]:
    """The URL prefixes that nginx serves from files of a release: static files, uploads, and what the manifest names.

    Args:
        release: its record.
        path: where it plays.
    """
    others = [item["url"] for item in release.get("static_urls", [])]
    static, media = (_at(release[kind], path) for kind in ("static", "media"))
    return [static] if static else [], [media] if media else [], others


def moving_urls(release: Record, path: str) -> tuple[list[str], list[str]]:
    """Those of a release's static files and uploads that lie below the path where it plays, whatever that is."""
    static, media = ([_at(release[kind], path)] * release[kind].get("relative", False) for kind in ("static", "media"))
    return static, media


def built_for(release: Record) -> str:
    """The path that a release was built for."""
    return str(release.get("inputs", {}).get(PATH, "/"))


def static_url(release: Record) -> str:
    """STATIC_URL where the release was built for; empty where nginx does not serve it."""
    return _at(release["static"], built_for(release))


def _at(web: Record, path: str) -> str:
    """A URL prefix of the settings; a relative one starts from where the Act plays."""
    return path.rstrip("/") + web["url"] if web.get("relative") else str(web["url"])


def place(url: str) -> str:
    """Where the files of a URL that the manifest names lie, in the release's static files.

    A comma is in no such URL, so two of them never meet in one directory; nginx answers no name with a dot in front,
    so nobody finds them below STATIC_URL.
    """
    return f"{OTHERS}/{url.replace('/', ',')}"
