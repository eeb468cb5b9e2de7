# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of Venues on disk: made by the real openssl, sealed, and put in place by one rename."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import pairs
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.host import files
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Pair

from ... import certs
from ...house import House
from ...told import told

NAMES = ["a.example", "www.a.example"]
LONGEST = ".".join(["a" * 63] * 3 + ["b" * 61])


@pytest.fixture
def made(house: House) -> Pairs:
    found = Pairs.of(house.host, "jazz", "a.example")
    found.make_selfsigned(NAMES)
    return found


def test_a_selfsigned_certificate(made: Pairs) -> None:
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-ext", "subjectAltName,basicConstraints", "-in", made.certificate],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "DNS:a.example, DNS:www.a.example" in said
    assert "CA:FALSE" in said, "who trusts it by hand trusts no other certificate with it"
    assert (
        subprocess.run(["openssl", "verify", "-CAfile", made.certificate, made.certificate], check=False).returncode
        == 0
    )
    assert made.selfsigned_fault(NAMES) == ""


def test_only_root_reads_the_key(made: Pairs) -> None:
    modes = {path: stat.S_IMODE(os.stat(path).st_mode) for path in (made.key, made.root, os.path.dirname(made.root))}
    assert set(modes.values()) == {0o600, 0o700}


def test_the_longest_name(house: House) -> None:
    """A common name has 64 characters at most."""
    found = Pairs.of(house.host, "jazz", "long")
    found.make_selfsigned([LONGEST])
    assert found.selfsigned_fault([LONGEST]) == ""


def other_key(made: Pairs) -> None:
    subprocess.run(["openssl", "genrsa", "-out", made.key, "2048"], check=True, capture_output=True)


def encrypted_key(made: Pairs) -> None:
    subprocess.run(["openssl", "ec", "-in", made.key, "-out", made.key, "-aes256", "-passout", "pass:purr"], check=True)


def sealed(made: Pairs, **more: object) -> None:
    path = os.path.join(made.live, "sealed")
    files.write(path, files.to_json({**files.read_json(path), **more}))


FAULTS: list[tuple[str, Callable[[Pairs], object]]] = [
    ("there is none", lambda made: os.remove(made.live)),
    ("there is none", lambda made: os.remove(os.path.join(made.live, "sealed"))),
    ("it is for other names", lambda made: sealed(made, names=["b.example"])),
    ("it ends soon", lambda made: sealed(made, until=time.time() + 9e7)),
    ("the one in use is acme", lambda made: sealed(made, kind="acme")),
    ("nginx can't load it: ", lambda made: Path(made.certificate).write_text(Path(made.certificate).read_text()[:200])),
    ("nginx can't load it: ", lambda made: Path(made.key).write_text("")),
    ("nginx can't load it: ", lambda made: os.remove(made.key)),
    ("nginx can't load it: ", other_key),
    ("nginx can't load it: ", encrypted_key),
]


@pytest.mark.parametrize(("fault", "harm"), FAULTS)
def test_another_one_is_needed(made: Pairs, fault: str, harm: Callable[[Pairs], object]) -> None:
    harm(made)
    assert made.selfsigned_fault(NAMES).startswith(fault)
    made.make_selfsigned(NAMES)
    assert made.selfsigned_fault(NAMES) == ""


def test_a_pair_of_the_manifest(made: Pairs) -> None:
    given, other = certs.signed(NAMES), certs.signed(NAMES)
    assert made.given_fault(given, NAMES) == "the one in use is selfsigned"
    made.install(given, NAMES)
    assert made.given_fault(given, NAMES) == ""
    assert Pair(**made.given()) == given
    assert made.given_fault(other, NAMES) == "the manifest has another one"
    assert made.given_fault(replace(given, key=other.key), NAMES) == "the manifest has another one"
    assert made.given_fault(given, NAMES[:1]) == "it is for other names"
    assert made.selfsigned_fault(NAMES) == "the one in use is files"
    assert {stat.S_IMODE(os.stat(path).st_mode) for path in (made.key, made.certificate)} == {0o600}
    Path(made.key).write_text("")
    assert made.given_fault(given, NAMES).startswith("nginx can't load it: ")
    made.install(given, NAMES)
    assert made.given_fault(given, NAMES) == ""


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [(-10, 20, False), (-20, 9, True), (-20, 11, False), (-30, -1, True)],
)
def test_a_pair_of_the_manifest_ends(made: Pairs, begins: int, ends: int, said: bool) -> None:
    """FAULTS 71: told of when a third of its time is left, and from then on."""
    stamps = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400)) for days in (begins, ends)]
    made.install(certs.issued(NAMES, *stamps), NAMES)
    day = f"{stamps[1][:4]}-{stamps[1][4:6]}-{stamps[1][6:8]} {stamps[1][8:10]}:{stamps[1][10:12]} UTC"
    assert made.end() == (day if said else "")


def test_a_selfsigned_certificate_is_made_anew_by_itself(made: Pairs) -> None:
    sealed(made, until=time.time())
    assert made.end() == ""


def test_the_one_before_stays_until_the_next(made: Pairs) -> None:
    """nginx may still read it."""
    for number in range(1, 4):
        assert os.readlink(made.live) == f"versions/{number}-selfsigned"
        made.make_selfsigned(NAMES)
    assert sorted(os.listdir(os.path.join(made.root, "versions"))) == ["3-selfsigned", "4-selfsigned"]


def test_what_a_killed_run_left_is_not_used(made: Pairs) -> None:
    os.makedirs(os.path.join(made.root, "versions", "2-selfsigned"))
    made.make_selfsigned(NAMES)
    assert os.readlink(made.live) == "versions/3-selfsigned"
    assert sorted(os.listdir(os.path.join(made.root, "versions"))) == ["1-selfsigned", "3-selfsigned"]


def test_openssl_fails(made: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_REQUEST", ("openssl", "req", "-x509", "-newkey", "nonsense"))
    before = os.readlink(made.live)
    assert "openssl made no self-signed certificate for a.example: " in told(made.make_selfsigned, NAMES)
    assert os.readlink(made.live) == before


def test_certificates_of_others_stay(house: House, made: Pairs) -> None:
    """Neither those of a Production with a longer name, nor those of Venues that have TLS."""
    for production, venue in (("jazz", "b.example"), ("jazzy", "a.example"), ("blues", "jazz.a.example")):
        Pairs.of(house.host, production, venue).make_selfsigned([venue])
    pairs.sweep(house.host, "jazz", {"b.example"})
    assert sorted(os.listdir(house.host.certificates)) == ["blues.jazz.a.example", "jazz.b.example", "jazzy.a.example"]
    assert not os.path.exists(made.root)
    pairs.sweep(replace(house.host, certificates="/nonexistent"), "jazz", set())
