# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an Act that nginx serves. Before a switch nginx serves the old ones, so this looks up the new ones."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import unquote

from ..acts import url_prefixes
from ..host.layout import Sess as SessPaths


@dataclass(frozen=True)
class Served:
    """The files of one Sess.

    Args:
        release: the record of its release.
        path: the URL path of the Act.
        sess: its directories, with the static files of its release and of earlier ones.
        media: the directory of the Act's uploads.
    """

    release: dict[str, Any]
    path: str
    sess: SessPaths
    media: str

    def status(self, path: str) -> Optional[int]:
        """Return what nginx answers for a URL path: 200 or 404; None if it asks the Act."""
        static, media, others = url_prefixes.urls(self.release, self.path)
        asked = unquote(path.partition("?")[0])
        path = posixpath.normpath(asked) + ("/" if asked.endswith("/") else "")
        places = {
            **{url: [self.media] for url in media},
            **{url: self._static("") for url in static},
            **{url: self._static(url_prefixes.place(url)) for url in others},
        }
        found = [url for url in places if path.startswith(url) and url != url_prefixes.below(self.path)]
        if not found:
            return None
        url = max(found, key=len)
        hidden = any(part.startswith(".") and part != ".well-known" for part in path.split("/"))
        files = [os.path.join(place, path[len(url) :]) for place in places[url]]
        return 200 if not hidden and any(_is_file(file) for file in files) else 404

    def _static(self, inside: str) -> list[str]:
        older = [os.path.join(self.sess.older, name) for name in sorted(_names(self.sess.older))]
        return [os.path.join(place, inside) for place in (self.sess.static, *older)]


def _names(path: str) -> list[str]:
    return os.listdir(path) if os.path.isdir(path) else []


def _is_file(path: str) -> bool:
    """Return whether there is a file of this name. Symlinks in the Act's own directories are not followed."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False
