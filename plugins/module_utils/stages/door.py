# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door of a Sess: the local socket that only nginx can reach.

Requests to it use the uwsgi protocol (https://uwsgi-docs.readthedocs.io/en/latest/Protocol.html) or HTTP, in a child
process with nginx's user.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import unquote

from ..host import caller, names, process
from ..host.errors import BackstageError
from ..host.timed_socket import TimedSocket
from .pages import Answer

MOST = 1 << 20
EMPTY = "the answer was empty: the worker ended while it answered"
_QUEUED = ("02",)  # for accept: the St column of /proc/net/unix
_CONNECTED = (*_QUEUED, "03")  # being answered
AGENT = names.AGENT


@dataclass(frozen=True)
class Door:
    """The door of one Sess.

    Args:
        path: its socket.
        protocol: what is spoken there: uwsgi or http.
    """

    path: str
    protocol: str = "uwsgi"

    def encode(self, given: dict[str, str]) -> bytes:
        """A request in the protocol of this door."""
        return packet(given) if self.protocol == "uwsgi" else http_request(given)


def ask(door: Door, url: str, host: str, scheme: str, timeout: float, prefix: str = "", cookies: str = "") -> Answer:
    """Make one GET request at a door.

    Args:
        door: which one.
        url: the page, below the prefix.
        host: the Host header.
        scheme: http or https.
        timeout: seconds for the whole answer.
        prefix: the URL path of the Act, as WSGI's SCRIPT_NAME.
        cookies: the visitor's cookies.

    Raises:
        BackstageError: there was no complete answer in time.
    """
    user = process.User.named(names.WWW_GROUP)
    request = door.encode(variables(url, host, scheme, prefix, cookies))
    return answer(process.call_as(user, _request, door.path, request.hex(), timeout, timeout=timeout + 1))


def answer(given: list[Any]) -> Answer:
    """Return the answer that a child process passed on."""
    status, location, body, headers = given
    return Answer(status, location, body, tuple((name, value) for name, value in headers))


def variables(url: str, host: str, scheme: str, prefix: str = "", cookies: str = "") -> dict[str, str]:
    """Return the variables of a request as nginx passes it on."""
    path, _mark, query = url.partition("?")
    name, _colon, port = host.partition(":")
    return {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": prefix + url,
        **({"SCRIPT_NAME": prefix} if prefix else {}),
        "PATH_INFO": unquote(path),  # as nginx sends it
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": name,
        **({"HTTPS": "on"} if scheme == "https" else {}),
        "SERVER_PORT": port or ("443" if scheme == "https" else "80"),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "0",
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "",
        "HTTP_HOST": host,
        "HTTP_USER_AGENT": AGENT,
        "HTTP_X_FORWARDED_PROTO": scheme,
        "HTTP_X_FORWARDED_FOR": "127.0.0.1",
        "HTTP_X_FORWARDED_HOST": host,
        **({"HTTP_COOKIE": cookies} if cookies else {}),
    }


def packet(given: dict[str, str]) -> bytes:
    """Return a request in the uwsgi protocol."""
    data = b"".join(
        struct.pack("<H", len(part)) + part for item in given.items() for part in (item[0].encode(), item[1].encode())
    )
    return struct.pack("<BHB", 0, len(data), 0) + data


_HEADERS = {
    "REMOTE_ADDR": "X-Real-IP",
    "SCRIPT_NAME": "X-Backstage-Prefix",
    "BACKSTAGE_ROLL_CALL": "X-Backstage-Roll-Call",
}
"""Variables of the uwsgi protocol that are headers where HTTP is spoken: nginx lets no visitor send one."""


def http_request(given: dict[str, str]) -> bytes:
    """The same request by HTTP, as nginx passes it on: the URI is what follows the prefix."""
    uri = given["REQUEST_URI"].removeprefix(given.get("SCRIPT_NAME", ""))
    headers = {
        **{name[len("HTTP_") :].replace("_", "-").title(): given[name] for name in given if name.startswith("HTTP_")},
        **{header: given[name] for name, header in _HEADERS.items() if name in given},
        "Connection": "close",
    }
    lines = [f"GET {uri} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(line + "\r\n" for line in [*lines, ""]).encode()


def _request(path: str, request: str, timeout: float) -> Answer:
    said = b""
    with TimedSocket(socket.AF_UNIX, timeout) as client:
        try:
            client.connect(path)
            client.sendall(bytes.fromhex(request))
            while len(said) < MOST:
                chunk = client.recv(1 << 16)
                if not chunk:
                    break
                said += chunk
        except TimeoutError:
            raise BackstageError(f"no answer within {timeout:.0f} s") from None
    return parse(said)


def parse(said: bytes) -> Answer:
    """Parse the answer of the Act.

    Raises:
        BackstageError: it is not an HTTP answer.
    """
    head, _blank, body = said.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    words = first.split()
    if len(words) < 2 or not words[1].isdigit():
        raise BackstageError(EMPTY)
    parts = [line.decode("utf-8", "replace").partition(":") for line in lines]
    headers = tuple((name.strip().lower(), value.strip()) for name, _colon, value in parts)
    location = dict(headers).get("location", "")
    if dict(headers).get("transfer-encoding", "").lower() == "chunked":
        body = _unchunked(body)
    return Answer(int(words[1]), location, body.decode("utf-8", "replace"), headers)


def _unchunked(body: bytes) -> bytes:
    """The content of a body in chunks (RFC 9112 7.1), as far as it came."""
    found = b""
    while True:
        size, _line, rest = body.partition(b"\r\n")
        digits = size.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", digits) or not int(digits, 16):
            return found
        found += rest[: int(digits, 16)]
        body = rest[int(digits, 16) + 2 :]


def is_busy(path: str, states: tuple[str, ...] = _CONNECTED) -> bool:
    """Whether a request is queued at the door or being answered behind it."""
    return any(line[3] == "00000000" and line[5] in states for line in _sockets(path))


def is_queued(path: str) -> bool:
    """Return whether a connection at the door waits for a worker."""
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    return any(line[3] == "00000000" and line[5] == _CONNECTED[0] for line in _sockets(path))


def _sockets(path: str) -> list[list[str]]:
    suffix = " " + path
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        return [line.split() for line in table if line.rstrip("\n").endswith(suffix)]


def wait_idle(path: str, timeout: float, queued_only: bool = False) -> bool:
    """Wait until every look of at least 0.2 s finds nothing queued or answered; return whether that came in time.

    It takes an idle look at the end as well: on a busy machine this process may sleep for longer than it asked for.

    Args:
        path: the door's socket.
        timeout: seconds.
        queued_only: whether requests that are being answered are not waited for.
    """
    states = _QUEUED if queued_only else _CONNECTED
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    deadline = time.monotonic() + timeout
    idle_since: Optional[float] = None
    while True:
        caller.check()
        before = time.monotonic()
        if is_busy(path, states):
            idle_since = None
        elif idle_since is None:
            idle_since = time.monotonic()
        elif before - idle_since >= 0.2:
            return True
        if before > deadline:
            return False
        time.sleep(0.02)
