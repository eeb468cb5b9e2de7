# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of bookings share: Acts that answer on their doors."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Sess

from ...house import KITTENS, House, wanted
from ...servers import listening, read_request

ACTS = {name: replace(KITTENS, name=name) for name in ("kittens", "dogs")}


@pytest.fixture
def playing(open_house: House) -> Iterator[House]:
    """Two Acts that answer on their doors with their names."""
    with ExitStack() as stack:
        for name, act in ACTS.items():
            want = wanted(act)
            open_house.build(want.release, name)
            open_house.record(want)
            path = open_house.root / name
            os.symlink(path, open_house.act(name).sess(open_house.play(want, Sess(name))).socket)
            stack.enter_context(listening(path, lambda client, name=name: answer(client, name)))
        yield open_house


def answer(client: socket.socket, name: str) -> None:
    read_request(client)
    client.sendall(f"HTTP/1.1 200 OK\r\n\r\n{name}".encode())
