# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that the roles bring to hosts are tested from where they lie."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(path) for path in (Path(__file__).parents[3] / "roles").glob("*/files")]
