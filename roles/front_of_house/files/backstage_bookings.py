# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show at each Venue with a calendar the Act that is on now; the package beside this file does it."""

from __future__ import annotations

import importlib
import os
import sys


def run() -> int:
    """Return the exit code of the package's program."""
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
    code: int = importlib.import_module("backstage.bookings.box_office").main()
    return code


if __name__ == "__main__":
    sys.exit(run())
