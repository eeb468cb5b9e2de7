# SPDX-License-Identifier: GPL-3.0-or-later
"""The Production of this scenario on one of its hosts, its address, and the requests that its Act saw."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path.insert(0, str(TESTS))

from faults.controller import Run  # noqa: E402
from faults.host import PROJECT  # noqa: E402
from faults.house import House, scenario  # noqa: E402
from visitors.raw import Answer, ask, get  # noqa: E402

VENUE = "hall.example.com"
LOG = "/var/log/backstage/street/hall.log"
SLOW = (TESTS / "visitors" / "slow.py").read_text()


class Street(House):
    """One host. Its visitors come from the address of the controller."""

    @property
    def address(self) -> str:
        told = subprocess.run(
            [str(PROJECT / "tests/garage/garage.sh"), "address", self.host.name],
            capture_output=True,
            text=True,
            check=True,
        )
        return told.stdout.strip()

    def visit(self, path: str = "/", *lines: str, host: str = VENUE, method: str = "GET") -> Answer:
        return get(self.address, host, path, *lines, method=method)

    def here(self) -> str:
        """The address that visitors come from."""
        with socket.create_connection((self.address, 80)) as client:
            return str(client.getsockname()[0])

    def send(self, request: bytes) -> Answer:
        return ask(self.address, request)

    def echo(self, *lines: str, host: str = VENUE, path: str = "/echo/") -> dict[str, Any]:
        """Return what Django sees of a request."""
        answer = self.visit(path, *lines, host=host)
        assert answer.status == 200, answer
        found: dict[str, Any] = json.loads(answer.body)
        return found

    @contextmanager
    def sees(self, *requests: str) -> Iterator[None]:
        """Assert that Django sees these requests meanwhile, and no other one."""
        before = len(self._seen())
        yield
        assert self._seen()[before:] == list(requests)

    def _seen(self) -> list[str]:
        return self.host.sh(f"grep -o 'SEEN .*' {LOG} || true").splitlines()

    @contextmanager
    def attacked(self, seconds: int, **kinds: int) -> Iterator[dict[str, dict[str, Any]]]:
        """Open slow connections from the other host. When they end, the dictionary has the result of each kind."""
        other = Street(scenario("visitors"), {"h1": "h2", "h2": "h1"}[self.host.name], self.work)
        counts = [f"{kind}={count}" for kind, count in kinds.items()]
        words = ["/usr/bin/python3", "-c", SLOW, self.address, VENUE, str(seconds), *counts]
        found: dict[str, dict[str, Any]] = {}
        with subprocess.Popen(other.host.command(*words), stdout=subprocess.PIPE, text=True) as attack:
            assert attack.stdout is not None
            assert attack.stdout.readline() == "open\n"
            yield found
            found.update(json.loads(attack.stdout.readline()))

    @contextmanager
    def file_of_somebody(self, text: str, path: str = "/etc/nginx/conf.d/aaa-by-hand.conf") -> Iterator[str]:
        """Write a file of nginx that is not Backstage's, and remove it afterwards."""
        self.host.write(path, text)
        try:
            yield path
        finally:
            self.host.sh(f"rm -f {path}; nginx -t -q && nginx -s reload")

    def refused(self, *options: str, **changes: Any) -> str:
        """Deploy, which must fail and change no file, and return the error."""
        found = f"find {self.root} /etc/nginx /etc/backstage ! -name .lock ! -type d -printf '%p %C@\\n' | sort"
        before = self.host.sh(found)
        run: Run = self.play(*options, **changes)
        assert run.code != 0, run.printed[-3000:]
        assert self.host.sh(found) == before
        return run.message


@pytest.fixture(scope="session", params=["h1", "h2"])
def street(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Street:
    found = Street(scenario("visitors"), request.param, tmp_path_factory.mktemp("runs"))
    found.host.put()
    return found
