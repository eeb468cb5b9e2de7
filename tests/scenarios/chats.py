# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets to an Act on both hosts of the garage, while tests switch it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from faults.host import PLACE
from faults.house import within
from street import CORNER, Street

CLIENTS = 10
LONGEST = 20
"""Seconds that a client may be without a socket. It takes well below one where the machine has nothing else to do."""
Talked = list[dict[str, Any]]


@contextmanager
def chats(street: Street) -> Iterator[Talked]:
    """Keep WebSockets to the Act of CORNER open meanwhile. Afterwards the list has what those of each host saw."""
    seen: Talked = []
    with ExitStack() as stack:
        clients = []
        for host in street.hosts:
            command = host.command("/usr/bin/python3", f"{PLACE}/chat.py", CORNER, "/chat", str(CLIENTS))
            client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            clients.append(stack.enter_context(client))
            assert client.stdout
            assert client.stdout.readline() == "open\n"
        yield seen
        assert within(60, lambda: _earlier_have_ended(street))
        seen += [json.loads(client.communicate("", timeout=60)[0]) for client in clients]


def _earlier_have_ended(street: Street) -> bool:
    """Whether the servers of earlier Sesses have ended: they close sockets as they end, and no run waits for that."""
    services = f"backstage.{street.production}.*.service"
    look = ("systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating,deactivating", services)
    running = [host.run(*look) for host in street.hosts]
    live = [street.live(act) for act in street.acts]
    return all(
        any(f".{sess}." in line for sess in of_host)
        for said, of_host in zip(running, zip(*live))
        for line in said.splitlines()
    )


def assert_back_at_once(talked: Talked, switches: int) -> None:
    """Assert that each switch closed each client with 1012, "service restart", and that each was back at the first try.

    A client that is sending as the close arrives may get a reset instead.
    """
    for on_host in talked:
        print("WebSockets:", {**on_host, "failed": len(on_host["failed"])})
        assert on_host["failed"] == []
        assert set(on_host["closes"]) <= {"1012", "1006"}
        assert sum(on_host["closes"].values()) == CLIENTS * switches
        assert on_host["closes"]["1012"] > 0.8 * CLIENTS * switches
        assert on_host["longest"] < LONGEST
