# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hiding secrets in what a program printed, in every form in which programs print them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

MASK = "********"
SHORTEST = 4
"""A shorter part of a secret occurs by chance, and masking it would make a text unreadable."""
# user and password of a URL; of a web address what stands alone is a token
_URL_USER = re.compile(r"""(https?://|[a-z][a-z0-9+.-]*://(?=[^\s/'"<>@]*:))[^\s/'"<>]+@""", re.IGNORECASE)


def mask(text: str, secrets: Iterable[str]) -> str:
    """The text with a mask in the place of every secret, and of what logs in to a URL: projects write such, too."""
    for part in sorted({part for secret in secrets for part in _forms(secret)}, key=len, reverse=True):
        text = text.replace(part, MASK)
    return _URL_USER.sub(rf"\1{MASK}@", text)


def _forms(secret: str) -> list[str]:
    """A secret as it is, as a string in source or in JSON, line by line, and the password that a URL holds."""
    forms = [secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], *secret.splitlines(), *_passwords(secret)]
    return [form for form in forms if len(form) >= SHORTEST]


def _passwords(secret: str) -> list[str]:
    try:
        password = urlsplit(secret).password or ""
    except ValueError:
        return []  # no URL
    return [password, unquote(password)]
