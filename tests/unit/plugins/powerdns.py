# SPDX-License-Identifier: GPL-3.0-or-later
"""Real PowerDNS servers on addresses of the test's own network, each with its own database."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from waiting import LONG

KEY = "0123456789abcdef"
API_PORT = 8081
FOLDER = "pdns-backend-sqlite3"


def programs() -> tuple[str, Path, Path]:
    """Return the program, the directory of its back ends, and the schema of its database."""
    found = shutil.which("pdns_server")
    assert found, "these tests need PowerDNS: run them by make units"
    unpacked = Path(found).parents[3] / FOLDER / "usr"
    usr = unpacked if unpacked.exists() else Path("/usr")
    (backends,) = usr.glob("lib/*/pdns")
    (schema,) = usr.glob(f"share/{FOLDER}/schema/schema.sqlite3.sql")
    return found, backends, schema


@dataclass
class PowerDns:
    """A server with its address, for questions on port 53 and for its API.

    Args:
        place: its directory.
        address: one of 127.0.0.0/8.
        options: what it is configured with, besides what all are.
        api: the address of its API.
    """

    place: Path
    address: str
    options: tuple[str, ...] = ()
    api: str = ""
    process: Optional[subprocess.Popen[bytes]] = None

    @classmethod
    @contextmanager
    def running(cls, place: Path, address: str, *options: str) -> Iterator[PowerDns]:
        api = (
            "launch=gsqlite3",
            "gsqlite3-pragma-foreign-keys=yes",
            "gsqlite3-dnssec=yes",
            f"local-address={address}",
            "api=yes",
            f"api-key={KEY}",
            "webserver=yes",
            f"webserver-address={address}",
            "webserver-allow-from=127.0.0.0/8",
            "security-poll-suffix=",
            "zone-cache-refresh-interval=0",
        )
        with cls._started(cls(place, address, (*api, *options), address)) as found:
            yield found

    @classmethod
    @contextmanager
    def configured(cls, place: Path, address: str, files: Path) -> Iterator[PowerDns]:
        """Start one with the configuration in this directory, and its API at 127.0.0.1."""
        (files / "pdns.conf").write_text(f"include-dir={files}\n")
        with cls._started(cls(place, address, (f"config-dir={files}",), "127.0.0.1")) as found:
            yield found

    @staticmethod
    @contextmanager
    def _started(found: PowerDns) -> Iterator[PowerDns]:
        found.place.mkdir()
        with closing(sqlite3.connect(found.place / "pdns.sqlite3")) as database:
            database.executescript(programs()[2].read_text(encoding="utf-8"))
        found.start()
        try:
            yield found
        finally:
            found.stop()

    @property
    def url(self) -> str:
        return f"http://{self.api}:{API_PORT}"

    def start(self) -> None:
        program, backends, _schema = programs()
        options = [
            f"module-dir={backends}",
            f"socket-dir={self.place}",
            f"config-dir={self.place}",
            f"gsqlite3-database={self.place}/pdns.sqlite3",
            f"query-local-address={self.address}",
            "receiver-threads=1",
            "distributor-threads=1",
            "retrieval-threads=1",
            *self.options,
        ]
        log = (self.place / "log").open("ab")
        argv = [program, *(f"--{option}" for option in options)]
        self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        end = time.monotonic() + LONG
        while not self._answers():
            assert self.process.poll() is None, (self.place / "log").read_text()
            assert time.monotonic() < end, (self.place / "log").read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "")[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)
        while any(state != "T" for state in self._states()):
            time.sleep(0.01)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def _states(self) -> list[str]:
        """Return the state of each thread. A busy machine needs some time to stop all of them."""
        assert self.process
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/stat")
        return [task.read_text().rpartition(")")[2].split()[0] for task in tasks]

    def ask(self, method: str, path: str, data: Any = None) -> tuple[int, Any]:
        """Send a request to the API, without the code under test."""
        with closing(http.client.HTTPConnection(self.api, API_PORT, timeout=60)) as client:
            body = None if data is None else json.dumps(data)
            client.request(method, f"/api/v1/servers/localhost{path}", body, {"X-API-Key": KEY})
            answer = client.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if answer.status < 300 and text else text.decode()

    def by_hand(self, zone: str, name: str, kind: str, *contents: str, account: str = "") -> None:
        """Write records as somebody else, or remove them if no contents are given."""
        records = [{"content": content, "disabled": False} for content in contents]
        rrset: dict[str, Any] = {"name": f"{name}.", "type": kind, "ttl": 60, "records": records}
        rrset["changetype"] = "REPLACE" if contents else "DELETE"
        if account:
            rrset["comments"] = [{"content": "", "account": account}]
        status, said = self.ask("PATCH", f"/zones/{zone}.", {"rrsets": [rrset]})
        assert status == 204, said

    def zone(self, zone: str) -> dict[str, list[str]]:
        """Return the contents of all records by "name type"."""
        _status, found = self.ask("GET", f"/zones/{zone}.")
        return {
            f"{rrset['name'].rstrip('.')} {rrset['type']}": sorted(one["content"] for one in rrset["records"])
            for rrset in found["rrsets"]
            if rrset["type"] != "SOA"
        }

    def copies(self, zone: str, primary: str) -> None:
        """Make it a secondary of this zone."""
        status, said = self.ask("POST", "/zones", {"name": f"{zone}.", "kind": "Slave", "masters": [primary]})
        assert status == 201, said
