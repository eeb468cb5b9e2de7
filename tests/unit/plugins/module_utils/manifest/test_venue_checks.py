# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of a Venue may be."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import venue_checks
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import summary

from ...manifests import VENUE, booked, options, parse, refused

SHA512 = "$6$" + "s" * 16 + "$" + "h" * 86
BCRYPT = "$2y$05$" + "h" * 53


def auth(password: Any, **more: Any) -> dict[str, Any]:
    return {"auth": {"users": {"ada": password}, **more}}


CERTIFICATE = "-----BEGIN CERTIFICATE-----\npurr\n-----END CERTIFICATE-----"
KEY = "-----BEGIN EC PRIVATE KEY-----\npurr\n-----END EC PRIVATE KEY-----"


def own(**more: Any) -> dict[str, Any]:
    return {"tls": {"mode": "files", "certificate": CERTIFICATE, "key": KEY, **more}}


RIGHT: list[dict[str, Any]] = [
    {"allow": ["192.0.2.7", "192.0.2.0/24", "2001:db8::/32", "::1"], "deny": []},
    {"deny": ["0.0.0.0/0"]},
    {"upload": "1k"},
    {"upload": "2g"},
    {"rate": {"requests": "5/s"}},
    {"rate": {"requests": "100/m", "burst": 20}},
    {"proxies": {"addresses": ["192.0.2.0/24"], "header": "CF-Connecting-IP"}},
    {"proxies": {}, "rate": {}, "auth": {}},
    auth(SHA512, realm="the kittens' house"),
    auth("$5$rounds=5000$salt$" + "h" * 43),
    auth("$apr1$saltsalt$" + "h" * 22),
    auth(BCRYPT),
    own(),
    own(key=KEY.replace("EC ", "")),
    own(certificate=KEY + "\n" + CERTIFICATE),
    own(hsts=730),
    {"tls": {"mode": "selfsigned", "hsts": 60}},
    {"tls": {"mode": "none", "hsts": 0}},
    {"tls": {"mode": "none", "key": "of the defaults"}},
]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"allow": ["192.0.2.7/24"]}, ".allow: '192.0.2.7/24': a network begins with its first address"),
    ({"deny": ["all"]}, ".deny: 'all': use an address or a network"),
    ({"deny": ["192.0.2.1;\nallow all"]}, ".deny: '192.0.2.1;\\nallow all': use an address or a network"),
    ({"allow": ["fe80::1%eth0"]}, ".allow: 'fe80::1%eth0': an address with a zone"),
    ({"allow": ["example.com"]}, ".allow: 'example.com': use an address or a network"),
    (auth("a secret password"), ".auth.users.ada: use a hash of the password"),
    (auth(12345678), ".auth.users.ada: use a hash of the password"),
    (auth("{PLAIN}a secret password"), ".auth.users.ada: use a hash of the password"),
    (auth(SHA512 + "\neve:" + SHA512), ".auth.users.ada: use a hash of the password"),
    (auth(SHA512.replace("$6$", "$6$rounds=656000$")), ".auth.users.ada: nginx computes it at every request"),
    (auth(BCRYPT.replace("05", "12")), ".auth.users.ada: nginx computes it at every request"),
    ({"auth": {"users": {"a:b": SHA512}}}, ".auth.users: 'a:b': use letters, digits"),
    (auth(SHA512, realm='a"; b'), ".auth.realm: 'a\"; b': use up to 64"),
    ({"auth": {"realm": "a"}}, ".auth.users: is missing"),
    (own(certificate=None), ".tls.certificate: is missing; read the file with lookup("),
    (own(key=" "), ".tls.key: is missing"),
    (own(certificate=KEY), ".tls.certificate: is no PEM text of a CERTIFICATE"),
    (own(key=CERTIFICATE), ".tls.key: is no PEM text of a PRIVATE KEY"),
    (own(key="/etc/ssl/private/kittens.pem"), ".tls.key: is no PEM text of a PRIVATE KEY; read the file"),
    ({"tls": {"hsts": 1}}, ".tls.hsts: 1: without HTTPS nobody could visit it any more"),
    ({"tls": {"mode": "selfsigned", "hsts": 61}}, ".tls.hsts: 61: a self-signed certificate is for trying"),
    (own(hsts=31536000), ".tls.hsts: 31536000: use a number from 0 to 730 (days)"),
    (own(hsts=-1), ".tls.hsts: -1: use a number from 0 to 730 (days)"),
    ({"upload": "0"}, ".upload: '0': use a number and k, m or g"),
    ({"upload": "10 MB"}, ".upload: '10 MB': use a number and k, m or g"),
    ({"upload": "10m;"}, ".upload: '10m;': use a number and k, m or g"),
    ({"upload": "10m\n"}, ".upload: '10m\\n': use a number and k, m or g"),
    ({"rate": {"requests": "5"}}, ".rate.requests: '5': use a number of requests and s or m"),
    ({"rate": {"requests": "5r/s"}}, ".rate.requests: '5r/s': use a number of requests and s or m"),
    ({"rate": {"requests": "10001/s"}}, ".rate.requests: '10001/s': use a number from 1 to 10000"),
    ({"rate": {"burst": 5}}, ".rate.requests: is missing"),
    ({"rate": {"requests": "5/s", "burst": -1}}, ".rate.burst: -1: use a number from 0 to 10000"),
    ({"proxies": {"header": "CF-Connecting-IP"}}, ".proxies.addresses: is missing"),
    ({"proxies": {"addresses": ["::1"], "header": "Forwarded"}}, ".proxies.header: 'Forwarded': nginx can't read"),
    ({"proxies": {"addresses": ["::1"], "header": "proxy_protocol"}}, ".proxies.header: 'proxy_protocol': use the"),
    ({"proxies": {"addresses": ["unix:"]}}, ".proxies.addresses: 'unix:': use an address or a network"),
]


@pytest.mark.parametrize("given", RIGHT)
def test_right(given: dict[str, Any]) -> None:
    assert VENUE in parse(**booked(venues=[{"name": VENUE, **given}])).venues


@pytest.mark.parametrize(("given", "part"), WRONG)
def test_wrong(given: dict[str, Any], part: str) -> None:
    assert f"backstage_venues[{VENUE}]{part}" in "\n".join(refused(booked(venues=[{"name": VENUE, **given}])))


def test_a_network_of_one_address() -> None:
    assert venue_checks.addresses("192.0.2.7/32") is None


def test_no_hash_is_told() -> None:
    """Not even a wrong one: it may be the password itself."""
    given = booked(venues=[{"name": VENUE, **auth("a secret password")}])
    assert "a secret password" not in "\n".join(refused(given))


def test_an_absent_venue_needs_no_certificate() -> None:
    assert VENUE in parse(**options(venues=[{"name": VENUE, "tls": {"mode": "files"}, "state": "absent"}])).venues


def test_no_key_is_told() -> None:
    venue = parse(**booked(venues=[{"name": VENUE, **own()}])).venues[VENUE]
    assert (venue.tls.certificate, venue.tls.key) == (CERTIFICATE + "\n", KEY + "\n")
    assert "purr" not in repr(venue)
    assert "purr" not in str(summary(venue))
    wrong = own(key=KEY.replace("BEGIN", "BEGAN"))
    assert "purr" not in "\n".join(refused(booked(venues=[{"name": VENUE, **wrong}])))
