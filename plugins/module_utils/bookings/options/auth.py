# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords of a Venue. nginx asks for them, and the Act does not get them."""

from __future__ import annotations

import os

from ...manifest.nouns import Venue
from .lines import Lines


def path(directory: str, production: str, venue: str) -> str:
    """Return the file with the users of a Venue and the hashes of their passwords."""
    return os.path.join(directory, f"{production}.{venue}.users")


def lines(directory: str, production: str, venue: Venue) -> Lines:
    """Ask for a password. The Act does not get the header, because it would refuse a user whom it does not know."""
    if not venue.auth.users:
        return Lines()
    return Lines(
        location=f'        auth_basic "{venue.auth.realm or venue.name}";\n'
        f"        auth_basic_user_file {path(directory, production, venue.name)};\n",
        hidden=("Authorization",),
    )
