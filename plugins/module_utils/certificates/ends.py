# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What status tells of a Venue's certificate, from the record of the pair that nginx reads."""

from __future__ import annotations

import os
import time
from typing import Any, Optional

from ..host import files
from ..host.facts import Host
from .pairs import Pairs

_DAY = 86400


def of(host: Host, production: str, venue: str) -> Optional[dict[str, Any]]:
    """Return kind, names and end of a Venue's certificate; None if it has none.

    Args:
        host: the host's facts.
        production: the Production.
        venue: the Venue.
    """
    sealed = files.read_json(os.path.join(Pairs.of(host, production, venue).live, "sealed"))
    if not isinstance(sealed, dict):
        return None
    ends = sealed.get("ends") or sealed.get("until")
    return {
        "kind": sealed.get("kind"),
        "names": sealed.get("names", []),
        "ends": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends)) if ends else None,
        "days": int((ends - time.time()) // _DAY) if ends else None,
    }
