# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The uv in the environment that the role stage makes."""

from __future__ import annotations

import glob
import os


def version(tools: str) -> str:
    """Return the installed version, from the record that pip writes last; empty if the installation is incomplete."""
    records = glob.glob(f"{glob.escape(tools)}/lib/python3*/site-packages/uv-*.dist-info/RECORD")
    if not records or not os.access(f"{tools}/bin/uv", os.X_OK):
        return ""
    return os.path.basename(os.path.dirname(records[0]))[len("uv-") : -len(".dist-info")]
