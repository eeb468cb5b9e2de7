# SPDX-License-Identifier: GPL-3.0-or-later
"""A Production of one busker with TLS: its certificates, an authority on each host, and visitors who verify them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable

from faults.host import PLACE, Host
from street import CORNER, Street

AUTHORITY = "/opt/backstage-pebble"
DIRECTORY = "https://127.0.0.1:14000/dir"
KEPT = f"/var/lib/backstage/certificates/street.{CORNER}"
Accounts = dict[str, Any]


class Secured(Street):
    """CORNER gets TLS by the tests."""

    def __init__(self, inventory: Path, work: Path) -> None:
        super().__init__(inventory, work)
        for listed in (self.acts, self.sesses):
            del listed["juggler"]
        self.gigs = {CORNER: {"act": "busker"}}
        self.venues = {CORNER: {"tls": {"mode": "none"}}}
        self.acme: dict[str, str] = {}

    def manifest(self) -> dict[str, Any]:
        return {**super().manifest(), "backstage_acme": self.acme}

    def secure(self, **tls: Any) -> list[str]:
        self.venues[CORNER]["tls"] = tls
        return self.play()

    def everywhere(self, act: Callable[[Host], Any]) -> list[Any]:
        """Do something on both hosts at once."""
        with ThreadPoolExecutor(len(self.hosts)) as pool:
            return list(pool.map(act, self.hosts))

    def authority(self, verb: str, *name_server: str) -> None:
        self.everywhere(lambda host: host.run(f"{PLACE}/pebble.sh", verb, *name_server))

    @contextmanager
    def watched(self, trusted: str, *visits: str) -> Iterator[list[Accounts]]:
        """Visitors on both hosts; afterwards, for each host, what each of them saw."""
        seen: list[Accounts] = []
        with ExitStack() as stack:
            crowd = [stack.enter_context(visiting(host, trusted, *visits)) for host in self.hosts]
            yield seen
            seen += [ended() for ended in crowd]

    def certify(self, *words: str, check: bool = True) -> list[str]:
        """Run the program on both hosts; what it said."""
        said: list[str] = self.everywhere(lambda host: host.run("backstage-certificates", *words, check=check))
        return said

    def age(self, host: Host) -> None:
        """Have the certificate in use end soon, as far as the host knows."""
        path = f"{KEPT}/live/sealed"
        sealed = json.loads(host.read(path))
        host.write(path, json.dumps({**sealed, "ends": sealed["begins"]}), "600")

    def is_served_within(self, seconds: float) -> bool:
        """Whether both hosts answer by HTTPS, which a busy machine may take its time for after a boot."""
        ask = f"curl -skf --retry 100 --retry-all-errors --retry-delay 1 --retry-max-time {seconds:.0f} -o /dev/null"
        return all(self.everywhere(lambda host: host.ok(f"{ask} --resolve {CORNER}:443:127.0.0.1 https://{CORNER}/")))

    def states(self) -> list[str]:
        return [json.loads(host.read(f"{KEPT}/state.json"))["state"] for host in self.hosts]


@contextmanager
def visiting(host: Host, *words: str) -> Iterator[Callable[[], Accounts]]:
    command = host.command("/usr/bin/python3", f"{PLACE}/tls_visit.py", *words)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n", "the visitors did not come"

        def end() -> Accounts:
            accounts: Accounts = json.loads(process.communicate("", timeout=90)[0])
            return accounts

        yield end


def pleased(seen: list[Accounts], requests: int = 30) -> list[Accounts]:
    """Not one request failed, of enough to say so; returns the same."""
    for accounts in seen:
        for visit, found in accounts.items():
            assert found["failed"] == [], visit
            assert found["requests"] >= requests, visit
    return seen
