# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket with one deadline for all its operations, which a slow peer can't extend."""

from __future__ import annotations

import socket
import time
from typing import Any, Callable

from . import caller


class TimedSocket(socket.socket):
    """A stream socket that times out some seconds after it was made, whatever arrives.

    Args:
        family: the address family.
        seconds: the time for all operations together.
    """

    def __init__(self, family: int, seconds: float) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._deadline = time.monotonic() + seconds

    def connect(self, address: Any) -> None:
        self.settimeout(self._left())
        super().connect(address)

    def sendall(self, *args: Any) -> None:
        self.settimeout(self._left())
        super().sendall(*args)

    def recv(self, *args: Any) -> bytes:
        return bytes(self._receive(super().recv, *args))

    def recv_into(self, *args: Any) -> int:
        return int(self._receive(super().recv_into, *args))

    def _receive(self, receive: Callable[..., Any], *args: Any) -> Any:
        while True:
            self.settimeout(min(self._left(), 1))
            try:
                return receive(*args)
            except TimeoutError:
                caller.check()

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left
