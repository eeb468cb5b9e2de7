# SPDX-License-Identifier: GPL-3.0-or-later
"""A Venue that plays goes from each mode of TLS to others, and no request of its visitors fails."""

from __future__ import annotations

import subprocess
from pathlib import Path

from secured import AUTHORITY, CORNER, DIRECTORY, KEPT, Secured, pleased

HTTP = f"new=http://{CORNER}/", f"keep=http://{CORNER}/"
HTTPS = f"new=https://{CORNER}/", f"keep=https://{CORNER}/"


def own(place: Path) -> dict[str, str]:
    """A certificate of the test's own."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    names = ["-subj", "/CN=own", "-addext", f"subjectAltName=DNS:{CORNER}"]
    subprocess.run([*made, *names, "-keyout", "key", "-out", "certificate"], cwd=place, check=True, capture_output=True)
    return {name: (place / name).read_text() for name in ("key", "certificate")}


def test_from_http_to_https(street: Secured) -> None:
    with street.watched("-", *HTTP) as seen:
        assert f"certify venue {CORNER}" in street.secure(mode="selfsigned")
    for accounts in pleased(seen):
        assert set(accounts[HTTP[0]]["statuses"]) == {"200", "301"}


def test_to_a_certificate_of_the_manifest(street: Secured, tmp_path: Path) -> None:
    with street.watched("-", *HTTP, *HTTPS) as seen:
        street.secure(mode="files", **own(tmp_path))
    for accounts in pleased(seen):
        assert accounts[HTTPS[0]]["certificates"] == 2


def test_to_one_of_an_authority(street: Secured) -> None:
    street.authority("start")
    street.acme = {"directory": DIRECTORY, "ca": "".join(host.read(f"{AUTHORITY}/ca.pem") for host in street.hosts)}
    with street.watched("-", *HTTP, *HTTPS) as seen:
        street.secure(mode="acme")
    for accounts in pleased(seen):
        assert accounts[HTTPS[0]]["certificates"] == 2
    assert street.states() == ["ok", "ok"]
    assert street.play() == []


def test_back_to_http(street: Secured) -> None:
    with street.watched("-", *HTTP) as seen:
        street.secure(mode="none")
    pleased(seen)
    for host in street.hosts:
        places = "/var/lib/backstage/certificates /var/lib/backstage/acme /etc/backstage/certificates"
        assert host.run("find", *places.split(), "-mindepth", "1") == "", "nothing of it is left"
        assert not host.ok("systemctl is-enabled --quiet backstage-certificates.timer")


def test_from_http_to_an_authority_that_is_down(street: Secured) -> None:
    """FAULTS 70: the Venue goes on by HTTP; when the authority is back, the timer's unit gives it HTTPS."""
    street.authority("stop")
    with street.watched("-", *HTTP) as seen:
        street.secure(mode="acme")
        assert street.states() == ["waiting", "waiting"]
        street.authority("start")
        street.everywhere(lambda host: host.sh(f"rm {KEPT}/state.json; systemctl start backstage-certificates.service"))
    for accounts in pleased(seen):
        assert set(accounts[HTTP[0]]["statuses"]) == {"200", "301"}
    assert street.states() == ["ok", "ok"]
    assert street.play() == [], "the deploy finds what it wanted"
