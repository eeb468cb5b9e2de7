# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a certificate and its key will do: for nginx, which one bad pair stops for every site, and for visitors."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..host import process
from ..manifest.nouns import Pair

_SHOWN = ("-noout", "-startdate", "-enddate", "-ext", "subjectAltName")
_CAUSES = {
    "KEY_VALUES_MISMATCH": "the key is for another certificate, or the certificate is not the first of its chain",
    "EE_KEY_TOO_SMALL": "its key is too short for the OpenSSL of this host",
    "CA_MD_TOO_WEAK": "it is signed with a digest that the OpenSSL of this host refuses",
    "PEM lib": "certificate or key is damaged, or no PEM text",
}


@dataclass(frozen=True)
class About:
    """What a certificate says of itself.

    Args:
        names: the DNS names that it is for.
        begins: when it becomes valid, in seconds since 1970.
        ends: when it ends.
    """

    names: tuple[str, ...]
    begins: float
    ends: float

    def covers(self, name: str) -> bool:
        """Whether it is for a name, also by a wildcard in place of the first label."""
        return name in self.names or "*." + name.partition(".")[2] in self.names


def unloadable(certificate: str, key: str) -> str:
    """Why nginx could not load these files; empty where it could. Python has the same OpenSSL as nginx."""

    def encrypted() -> bytes:
        raise ValueError("the key is encrypted, and nginx would ask for its password")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, encrypted)
    except ssl.SSLError as error:
        return next((cause for part, cause in _CAUSES.items() if part in str(error)), str(error))
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def fault(pair: Pair, names: Sequence[str]) -> str:
    """Why a pair can't serve these names on this host; empty where it can. Nothing is written to a disk."""
    with _in_memory(pair.certificate) as certificate, _in_memory(pair.key) as key:
        found = unloadable(certificate, key)
    return f"nginx can't load it: {found}" if found else _unfit(about(pair.certificate), names)


def about(certificate: str) -> About:
    """Read the first certificate of a PEM text, which nginx could load.

    Raises:
        ValueError: openssl could not read it.
    """
    result = process.run(["openssl", "x509", *_SHOWN], stdin=certificate)
    dates = [re.search(rf"^{key}=(.*)$", result.out, re.MULTILINE) for key in ("notBefore", "notAfter")]
    begins, ends = (ssl.cert_time_to_seconds(date[1]) if date else None for date in dates)
    if begins is None or ends is None:
        raise ValueError(f"openssl can't read the certificate: {result.said.strip()[-300:]}")
    return About(tuple(name.lower() for name in re.findall(r"DNS:([^,\s]+)", result.out)), begins, ends)


def _unfit(found: About, names: Sequence[str]) -> str:
    """Why visitors would refuse a certificate that nginx takes."""
    missing = [name for name in names if not found.covers(name)]
    if missing:
        return f"it is not for {', '.join(missing)}, but for {', '.join(found.names) or 'no DNS name at all'}"
    now = time.time()
    if found.ends <= now:
        return f"it ended on {day(found.ends)}, and this host's clock says {day(now)}"
    if found.begins > now:
        return f"it is not valid before {day(found.begins)}, and this host's clock says {day(now)}"
    return ""


def day(moment: float) -> str:
    """A moment as messages tell it."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))


@contextlib.contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """A file that only this process has: OpenSSL reads files, and a key that is only looked at belongs on no disk."""
    descriptor = os.memfd_create("pair")
    try:
        with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as target:
            target.write(text)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
