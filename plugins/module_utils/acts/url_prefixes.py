# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The URL prefixes of a release that nginx serves from files, and their directories."""

from __future__ import annotations

from typing import Any

from ..host.layout import OTHERS
from ..manifest.inputs import PATH

Record = dict[str, Any]


def below(path: str) -> str:
    """Return the URL prefix of everything below a Gig's path."""
    return path.rstrip("/") + "/"


def urls(release: Record, path: str) -> tuple[list[str], list[str], list[str]]:
    """Return the URL prefixes that nginx serves from files of a release: static files, uploads, and static_urls.

    Args:
        release: its record.
        path: where it plays.
    """
    others = [item["url"] for item in release.get("static_urls", [])]
    static, media = (_at(release[kind], path) for kind in ("static", "media"))
    return [static] if static and not app_urls(release, path) else [], [media] if media else [], others


def app_urls(release: Record, path: str) -> list[str]:
    """Return the URL prefix of static files that the Act itself answers, because the manifest says so."""
    static = _at(release["static"], path)
    return [static] if static and release["static"].get("app") else []


def moving_urls(release: Record, path: str) -> tuple[list[str], list[str]]:
    """Return the prefixes of a release's static files and uploads that move with the path of the Act."""
    static, media = ([_at(release[kind], path)] * release[kind].get("relative", False) for kind in ("static", "media"))
    return static, media


def built_for(release: Record) -> str:
    """Return the path that a release was built for."""
    return str(release.get("inputs", {}).get(PATH, "/"))


def static_url(release: Record) -> str:
    """Return STATIC_URL at the path that the release was built for; empty if nginx does not serve it."""
    return _at(release["static"], built_for(release))


def _at(web: Record, path: str) -> str:
    """Return a URL prefix of the settings. A relative one starts at the path of the Act."""
    return path.rstrip("/") + web["url"] if web.get("relative") else str(web["url"])


def place(url: str) -> str:
    """Return the directory of a URL of static_urls, in the release's static files.

    No such URL has a comma, so two of them never share a directory. nginx serves no name with a dot in front,
    so nobody can reach them below STATIC_URL.
    """
    return f"{OTHERS}/{url.replace('/', ',')}"
