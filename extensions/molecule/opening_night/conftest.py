# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the manifest, and the tools of tests/acts, for the tests of this scenario."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tests" / folder) for folder in ("acts", "scenarios", "")]
