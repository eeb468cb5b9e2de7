# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renew the certificates that come from authorities: backstage-certificates [--now] [PRODUCTION.VENUE...]"""

from __future__ import annotations

import importlib
import sys

HOUSE = "/usr/local/lib/backstage/house"
"""Where the role puts the modules of this collection that the program needs."""


def run() -> int:
    """Return the exit code of the package's program."""
    sys.path.insert(0, HOUSE)
    code: int = importlib.import_module("backstage.bookings.renewals").main(sys.argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(run())
