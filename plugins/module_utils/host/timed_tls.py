# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A TLS client for questions to this host's own nginx: its time is that of the socket below it."""

from __future__ import annotations

import io
import ssl
from typing import Any, Callable

from .timed_socket import TimedSocket


class TimedTls(io.RawIOBase):
    """TLS over a connected socket, without a look at the certificate: who asks is on the same host.

    Args:
        below: the socket.
        name: the name that is asked for.

    Raises:
        OSError: the handshake failed.
    """

    def __init__(self, below: TimedSocket, name: str) -> None:
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._below = below
        self._read, self._written = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._read, self._written, server_hostname=name)
        self._do(self._tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        self._do(self._tls.write, data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data: bytes = self._do(self._tls.read, len(buffer))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._below.close()
        super().close()

    def _do(self, act: Callable[..., Any], *args: Any) -> Any:
        while True:
            try:
                result = act(*args)
            except ssl.SSLWantReadError:
                self._send()
                data = self._below.recv(1 << 16)
                self._read.write(data) if data else self._read.write_eof()
                continue
            self._send()
            return result

    def _send(self) -> None:
        data = self._written.read()
        if data:
            self._below.sendall(data)
