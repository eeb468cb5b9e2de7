# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a manifest says of an Act's database: the kinds that there are, and what ``env`` may name of it."""

from __future__ import annotations

POSTGRESQL = "postgresql"
SQLITE = "sqlite"
URL = "DATABASE_URL"
"""The environment variable with its address."""
PLACEHOLDERS = ("database", "database_user", "database_host", "database_port", "database_url")
"""The placeholders for it in ``env``, written in braces."""
