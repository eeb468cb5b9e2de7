# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the directory of the scripts that scenarios share on the path. They are no installed package."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "tests" / "scenarios"))
