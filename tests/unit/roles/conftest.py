# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The surveys import as they do on a host, where they are one text."""

from __future__ import annotations

import sys
from pathlib import Path

ROLES = Path(__file__).parents[3] / "roles"
sys.path[:0] = [str(ROLES / role / "files") for role in ("host", "stage", "front_of_house", "database")]
