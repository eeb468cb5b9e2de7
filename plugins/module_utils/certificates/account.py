# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of a Production at certificate authorities: a key, and what nginx answers with it to their challenges.

An authority looks for ``<token>.<thumbprint of the key>`` at each name (http-01). nginx answers this to whoever asks,
for any token: only who has the key can use it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re

from ..host import files, process
from ..host.errors import BackstageError
from ..host.facts import Host

USER = "acme"
"""The system user that asks authorities."""
_MAKE = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")
CURE = "make one with " + " ".join(_MAKE)
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""What a public key of this curve begins with; two numbers of 32 bytes follow."""
_CHALLENGE = """\
# {ownership}
# The answer to a certificate authority: the token, and the thumbprint of the account's key.
location ~ "^/\\.well-known/acme-challenge/([A-Za-z0-9_-]{{16,200}})\\z" {{
    default_type text/plain;
    add_header X-Content-Type-Options nosniff always;
    return 200 "$1.{thumbprint}";
}}
"""


def path(host: Host, production: str) -> str:
    return os.path.join(host.accounts, production, "account.pem")


def tsig(host: Host, production: str) -> str:
    """The key with which challenges are written to DNS: the Production's own, or the host's."""
    own = os.path.join(host.accounts, production, "tsig.key")
    return own if os.path.exists(own) else os.path.join(host.accounts, "tsig.key")


def write_tsig(host: Host, production: str, text: str) -> None:
    """Keep the key with which a Production's challenges are written to DNS."""
    path_ = os.path.join(host.accounts, production, "tsig.key")
    if files.read(path_) != text:
        files.write(path_, text, 0o640, gid=process.User.named(USER).gid)


def challenge(host: Host, production: str) -> str:
    """The file of nginx with the answer."""
    return os.path.join(host.challenges, f"{production}.conf")


def fault(host: Host, production: str, given: str) -> str:
    """Why the account has to be written; empty where it is as it should be.

    Args:
        host: the host's facts.
        production: whose account it is.
        given: the key that the manifest has; empty where the host makes one.
    """
    key = _known(host, production)
    if not key:
        return "there is none yet"
    if given and key != given:
        return "the manifest has another key"
    return "" if files.read(challenge(host, production)) == _text(key) else "nginx does not know its key"


def ensure(host: Host, production: str, given: str) -> None:
    """Have a key and the answer of nginx; a key that the host made stays for good.

    Raises:
        BackstageError: the given key is of another kind, or openssl failed.
    """
    key = given or _known(host, production) or _made()
    text = _text(key)
    gid = process.User.named(USER).gid
    files.directory(os.path.dirname(path(host, production)), 0o750, gid=gid)
    if files.read(path(host, production)) != key:
        files.write(path(host, production), key, 0o640, gid=gid)
    if files.read(challenge(host, production)) != text:
        files.write(challenge(host, production), text)


def remove(host: Host, production: str) -> None:
    """Remove the account of a Production that needs no authority any more."""
    files.remove(challenge(host, production))
    files.remove_tree(os.path.dirname(path(host, production)))


def thumbprint(key: str) -> str:
    """What authorities know a key by (RFC 7638).

    Raises:
        BackstageError: it is no key of the right kind.
    """
    result = process.run(["openssl", "pkey", "-pubout"], stdin=key)
    encoded = "".join(line for line in result.out.splitlines() if line and not line.startswith("-----"))
    public = base64.b64decode(encoded) if result.ok and re.fullmatch(r"[A-Za-z0-9+/=]+", encoded) else b""
    if not public.startswith(_P256):
        raise BackstageError(f"the account's key is no EC key of the curve P-256: {CURE}", step="certificate")
    point = public[len(_P256) :]
    known = {"crv": "P-256", "kty": "EC", "x": _base64url(point[:32]), "y": _base64url(point[32:])}
    return _base64url(hashlib.sha256(json.dumps(known, sort_keys=True, separators=(",", ":")).encode()).digest())


def _known(host: Host, production: str) -> str:
    """The key on disk; empty where there is none that can be used."""
    key = files.read(path(host, production)) or ""
    try:
        return key if thumbprint(key) else ""
    except BackstageError:
        return ""


def _text(key: str) -> str:
    return _CHALLENGE.format(ownership=files.OWNERSHIP, thumbprint=thumbprint(key))


def _made() -> str:
    result = process.run(list(_MAKE))
    if not result.ok:
        raise BackstageError(f"openssl made no key: {result.said.strip()[-300:]}", step="certificate")
    return result.out


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
