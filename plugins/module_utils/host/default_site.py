# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site that nginx's package brings: taken out while nobody has touched it, and put back in the end."""

from __future__ import annotations

import hashlib
import os

from . import files, packages

SITE = "/etc/nginx/sites-available/default"
LINK = "/etc/nginx/sites-enabled/default"
UNTOUCHED, CHANGED, NONE = "untouched", "changed", "none"
_PACKAGE = "nginx-common"


def state() -> str:
    """Whether it is enabled as the package brought it; changed, it is somebody's own."""
    if not os.path.lexists(LINK):
        return NONE
    if not os.path.islink(LINK) or os.path.realpath(LINK) != SITE or not os.path.exists(SITE):
        return CHANGED
    with open(SITE, "rb") as file:
        digest = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    return UNTOUCHED if packages.shipped(_PACKAGE).get(SITE) == digest else CHANGED


def was_removed(facts: str) -> bool:
    """Whether an earlier run noted that it took the site out."""
    noted = files.read_json(facts)
    return isinstance(noted, dict) and bool(noted.get("removed_default_site"))
