# SPDX-License-Identifier: GPL-3.0-or-later
"""What scenarios share are scripts of this checkout and no installed package: their directory goes on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "tests" / "scenarios"))
