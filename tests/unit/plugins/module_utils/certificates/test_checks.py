# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pairs are refused before nginx could read them. FAULTS 73, 74: one bad pair stops every site."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import checks
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Pair

from ... import certs

NAME, WWW = "a.example", "www.a.example"
NAMES = [NAME, WWW]


def chained() -> Pair:
    pair, other = certs.signed(NAMES), certs.signed(["authority.example"])
    return replace(pair, certificate=pair.certificate + other.certificate)


def in_one_file() -> Pair:
    pair = certs.signed(NAMES)
    return Pair(pair.key + pair.certificate, pair.certificate + pair.key)


def with_lines_of_windows() -> Pair:
    pair = certs.signed(NAMES)
    return Pair(pair.certificate.replace("\n", "\r\n"), pair.key.replace("\n", "\r\n"))


TAKEN: list[Callable[[], Pair]] = [
    lambda: certs.signed(NAMES),
    lambda: certs.signed(NAMES, certs.key("RSA", "-pkeyopt", "rsa_keygen_bits:2048")),
    lambda: certs.signed([NAME, "*.a.example"]),
    lambda: certs.signed([NAME.upper(), WWW]),
    chained,
    in_one_file,
    with_lines_of_windows,
]


@pytest.mark.parametrize("make", TAKEN)
def test_taken(make: Callable[[], Pair]) -> None:
    assert checks.fault(make(), NAMES) == ""


def other_order() -> Pair:
    pair = certs.signed(NAMES)
    return replace(pair, certificate=certs.signed(["authority.example"]).certificate + pair.certificate)


def encrypted() -> Pair:
    pair = certs.signed(NAMES)
    return replace(pair, key=certs.openssl("ec", "-aes256", "-passout", "pass:purr", stdin=pair.key))


REFUSED: list[tuple[Callable[[], Pair], str]] = [
    (lambda: replace(certs.signed(NAMES), key=certs.key()), "nginx can't load it: the key is for another"),
    (other_order, "nginx can't load it: the key is for another certificate, or the certificate is not the first"),
    (encrypted, "nginx can't load it: the key is encrypted"),
    (lambda: replace(certs.signed(NAMES), key=""), "nginx can't load it: certificate or key is "),
    (lambda: Pair("", certs.key()), "nginx can't load it: certificate or key is "),
    (lambda: Pair(certs.signed(NAMES).certificate[:300], certs.key()), "nginx can't load it: certificate or key is "),
    (
        lambda: certs.signed(NAMES, certs.key("RSA", "-pkeyopt", "rsa_keygen_bits:1024")),
        "nginx can't load it: its key is too short",
    ),
    (lambda: certs.signed([NAME]), "it is not for www.a.example, but for a.example"),
    (lambda: certs.signed(["*.a.example"]), "it is not for a.example, but for *.a.example"),
    (lambda: certs.signed(["*.example"]), "it is not for www.a.example, but for *.example"),
    (lambda: certs.signed([]), "it is not for a.example, www.a.example, but for no DNS name at all"),
    (lambda: certs.issued(NAMES, "20250101000000Z", "20250201000000Z"), "it ended on 2025-02-01 00:00 UTC"),
    (lambda: certs.issued(NAMES, "20480101000000Z", "20490101000000Z"), "it is not valid before 2048-01-01 00:00"),
]


@pytest.mark.parametrize(("make", "said"), REFUSED)
def test_refused(make: Callable[[], Pair], said: str) -> None:
    assert checks.fault(make(), NAMES).startswith(said)


def test_files_stay_closed() -> None:
    before = os.listdir("/proc/self/fd")
    checks.fault(Pair("", ""), NAMES)
    assert set(os.listdir("/proc/self/fd")) <= set(before), "an earlier test's may be closed meanwhile"


def test_what_openssl_cannot_read() -> None:
    with pytest.raises(ValueError, match="openssl can't read the certificate"):
        checks.about("nonsense")
