# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A name and a password before anything of a Venue is seen: nginx asks for them, and the Act never hears of them."""

from __future__ import annotations

import os

from ...manifest.nouns import Venue
from .lines import Lines


def path(directory: str, production: str, venue: str) -> str:
    """The file with the users of a Venue and the hashes of their passwords."""
    return os.path.join(directory, f"{production}.{venue}.users")


def lines(directory: str, production: str, venue: Venue) -> Lines:
    """What a visitor sends is nginx's: an Act that read the header would refuse a user whom it does not know."""
    if not venue.auth.users:
        return Lines()
    return Lines(
        location=f'        auth_basic "{venue.auth.realm or venue.name}";\n'
        f"        auth_basic_user_file {path(directory, production, venue.name)};\n",
        hidden=("Authorization",),
    )
