# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The site that nginx's package enables: disabled if it is unchanged, and enabled again when the role leaves."""

from __future__ import annotations

import hashlib
import os

from . import files, packages

SITE = "/etc/nginx/sites-available/default"
LINK = "/etc/nginx/sites-enabled/default"
UNTOUCHED, CHANGED, NONE = "untouched", "changed", "none"
_PACKAGE = "nginx-common"


def state() -> str:
    """Return whether the site is enabled, and as the package brought it. A changed site belongs to the host's owner."""
    if not os.path.lexists(LINK):
        return NONE
    if not os.path.islink(LINK) or os.path.realpath(LINK) != SITE or not os.path.exists(SITE):
        return CHANGED
    with open(SITE, "rb") as file:
        digest = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    return UNTOUCHED if packages.shipped(_PACKAGE).get(SITE) == digest else CHANGED


def was_removed(facts: str) -> bool:
    """Return whether an earlier run recorded that it removed the site."""
    noted = files.read_json(facts)
    return isinstance(noted, dict) and bool(noted.get("removed_default_site"))
