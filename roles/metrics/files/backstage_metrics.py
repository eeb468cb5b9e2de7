# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the metrics of all Acts of this host: backstage_metrics.py FILE. The package beside this file does it."""

from __future__ import annotations

import importlib
import os
import sys


def run() -> None:
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
    importlib.import_module("backstage.productions.metrics").main(sys.argv[1:])


if __name__ == "__main__":
    run()
