# SPDX-License-Identifier: GPL-3.0-or-later
"""A real certificate authority in the test's own network (Pebble), with the name server that it asks."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waiting import LONG

from . import certs

LIBRARIES = (
    *("python3-acme", "python3-josepy", "python3-openssl", "python3-requests", "python3-tz", "python3-rfc3339"),
    *("python3-urllib3", "python3-certifi", "python3-idna", "python3-chardet", "python3-cryptography"),
    *("python3-cffi-backend", "python3-pkg-resources", "python3-six"),
)
"""Packages with what python3-acme needs."""
QUICK = """#!/bin/sh
export PYTHONPATH={libraries}
exec /usr/bin/python3 -S -c 'import runpy, sys, time, acme.client
slowly, time.sleep, sys.argv = time.sleep, lambda seconds: slowly(seconds / 10), sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")' "$@"
"""
"""A Python that waits a tenth as long for an authority: this one is quick."""
PORT, MANAGEMENT, DNS, NAMES = 14000, 15000, 8053, 8055


def program() -> Path:
    found = shutil.which("pebble")
    assert found, "these tests need Pebble: run them by make units"
    return Path(found)


@contextmanager
def libraries() -> Iterator[str]:
    """A Python of Debian with python3-acme and nothing else, which other users may run."""
    place = Path(tempfile.mkdtemp(prefix="bs-acme-"))
    place.chmod(0o755)
    try:
        for name in LIBRARIES:
            packages = program().parents[3] / name / "usr/lib/python3/dist-packages"
            shutil.copytree(packages, place / "libraries", dirs_exist_ok=True)
        script = place / "python"
        script.write_text(QUICK.format(libraries=place / "libraries"))
        script.chmod(0o755)
        yield str(script)
    finally:
        shutil.rmtree(place)


@dataclass
class Pebble:
    """An authority that looks for the answers to its challenges at one port of 127.0.0.1.

    Args:
        place: its directory.
        http_port: where it looks.
        ca: the certificate of its own server.
        names: the port of the name server that it asks, if that is not its own.
        processes: its processes.
        is_default: whether they run as at first.
        seen: how many orders it had got when the present test began.
    """

    place: Path
    http_port: int
    ca: str
    names: int = DNS
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    is_default: bool = True
    seen: int = 0

    directory = f"https://127.0.0.1:{PORT}/dir"

    @classmethod
    @contextmanager
    def running(cls, place: Path, http_port: int, names: int = DNS) -> Iterator[Pebble]:
        pair = certs.signed([], "", "30", "-addext", "subjectAltName=IP:127.0.0.1")
        found = cls(place, http_port, pair.certificate, names)
        (place / "server.pem").write_text(pair.certificate)
        (place / "server.key").write_text(pair.key)
        found.start()
        try:
            yield found
        finally:
            found.stop()

    def begin(self) -> None:
        """Be ready for another test: run as at first, and count its orders alone."""
        if not self.is_default:
            self.stop()
            self.start()
            self.is_default = True
        self.seen += self.orders

    def start(self, valid: int = 7776000, **environment: str) -> None:
        """Start it, with new roots and without accounts; its certificates are valid for so many seconds."""
        options = {
            "listenAddress": f"127.0.0.1:{PORT}",
            "managementListenAddress": f"127.0.0.1:{MANAGEMENT}",
            "certificate": str(self.place / "server.pem"),
            "privateKey": str(self.place / "server.key"),
            "httpPort": self.http_port,
            "tlsPort": 1,
            "certificateValidityPeriod": valid,
        }
        (self.place / "pebble.json").write_text(json.dumps({"pebble": options}))
        off = [f"-{name}=" for name in ("http01", "https01", "tlsalpn01", "defaultIPv6")]
        at = [f"-dns01=127.0.0.1:{DNS}", f"-management=127.0.0.1:{NAMES}", "-defaultIPv4=127.0.0.1"]
        self._run([str(program().with_name("pebble-challtestsrv")), *at, *off], {})
        environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0", **environment}
        config = ["-config", str(self.place / "pebble.json"), "-dnsserver", f"127.0.0.1:{self.names}", "-strict"]
        self._run([str(program()), *config], environment)
        end = time.monotonic() + LONG
        while not self._answers():
            assert time.monotonic() < end, (self.place / "pebble.log").read_text()
            time.sleep(0.02)

    def _run(self, argv: list[str], environment: dict[str, str]) -> None:
        log = (self.place / "pebble.log").open("ab")
        self.processes.append(subprocess.Popen(argv, stdout=log, stderr=log, env={**os.environ, **environment}))

    def _answers(self) -> bool:
        assert all(process.poll() is None for process in self.processes), (self.place / "pebble.log").read_text()
        try:
            self.root()
            self.name("add-a", host="there.is.one", addresses=["127.0.0.1"])
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self.is_default = False
        for process in self.processes:
            process.kill()
            process.wait(30)
        self.processes.clear()

    def forget(self) -> None:
        """Forget every account and every name that was proven.

        Else it takes a proven name for proven still in one of a hundred orders, even by PEBBLE_AUTHZREUSE=0.
        """
        self.stop()
        self.start()

    def root(self) -> str:
        """The certificate that vouches for what it issues."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with closing(http.client.HTTPSConnection("127.0.0.1", MANAGEMENT, timeout=60, context=context)) as client:
            client.request("GET", "/roots/0")
            return client.getresponse().read().decode()

    def name(self, what: str, **data: Any) -> None:
        """Change what its name server says: all names are at 127.0.0.1 if nothing else is told."""
        with closing(http.client.HTTPConnection("127.0.0.1", NAMES, timeout=60)) as client:
            client.request("POST", f"/{what}", json.dumps(data))
            assert client.getresponse().status == 200

    @contextmanager
    def dead(self, name: str) -> Iterator[None]:
        """The name server fails for a name."""
        self.name("set-servfail", host=name)
        try:
            yield
        finally:
            self.name("clear-servfail", host=name)

    @property
    def orders(self) -> int:
        """How many orders it got in this test."""
        return (self.place / "pebble.log").read_text().count("POST /order-plz -> calling handler") - self.seen
