# SPDX-License-Identifier: GPL-3.0-or-later
"""The one line that a benchmark changes to make a new release, and that every answer tells."""

EDITION = "0"
