# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mask secrets in the output of programs, in every form in which programs print them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

MASK = "********"
SHORTEST = 4
"""Shorter parts of a secret occur by chance, and masking them would make the text unreadable."""
# user and password of a URL; in a web address, a user without a password is a token
_URL_USER = re.compile(r"""(https?://|[a-z][a-z0-9+.-]*://(?=[^\s/'"<>@]*:))[^\s/'"<>]+@""", re.IGNORECASE)


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return the text with all secrets masked, and the credentials in URLs, because projects print those, too."""
    for part in sorted({part for secret in secrets for part in _forms(secret)}, key=len, reverse=True):
        text = text.replace(part, MASK)
    return _URL_USER.sub(rf"\1{MASK}@", text)


def _forms(secret: str) -> list[str]:
    """Return the forms of a secret: plain, escaped as in code or JSON, each line, and the password if it is a URL."""
    forms = [secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], *secret.splitlines(), *_passwords(secret)]
    return [form for form in forms if len(form) >= SHORTEST]


def _passwords(secret: str) -> list[str]:
    try:
        password = urlsplit(secret).password or ""
    except ValueError:
        return []  # no URL
    return [password, unquote(password)]
