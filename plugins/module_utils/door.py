# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Sess's door: the local socket that only nginx can reach.

Requests to it speak the uwsgi protocol
(https://uwsgi-docs.readthedocs.io/en/latest/Protocol.html) in a child that runs as nginx does.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import NamedTuple
from urllib.parse import unquote

from . import caller, names, process
from .errors import BackstageError
from .timed import TimedSocket

_MOST = 1 << 20
_CONNECTED = ("02", "03")  # queued for accept, being answered: the St column of /proc/net/unix
AGENT = "Backstage health check"


class Answer(NamedTuple):
    """What an Act answered: the status, where it leads to, and the start of the body."""

    status: int
    location: str
    body: str


def ask(path: str, url: str, host: str, scheme: str, timeout: float, prefix: str = "") -> Answer:
    """Make one GET request at a door.

    Args:
        path: the door's socket.
        url: the page, below the prefix.
        host: the Host that is asked for.
        scheme: http or https.
        timeout: seconds for the whole answer.
        prefix: the path below which the Act plays, as WSGI's SCRIPT_NAME.

    Raises:
        BackstageError: no whole answer came in time.
    """
    user = process.User.named(names.WWW_GROUP)
    variables = _variables(url, host, scheme, prefix)
    return Answer(*process.call_as(user, _request, path, variables, timeout, timeout=timeout + 1))


def _variables(url: str, host: str, scheme: str, prefix: str) -> dict[str, str]:
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
    }


def _request(path: str, variables: dict[str, str], timeout: float) -> Answer:
    packet = b"".join(
        struct.pack("<H", len(part)) + part
        for item in variables.items()
        for part in (item[0].encode(), item[1].encode())
    )
    answer = b""
    with TimedSocket(socket.AF_UNIX, timeout) as client:
        try:
            client.connect(path)
            client.sendall(struct.pack("<BHB", 0, len(packet), 0) + packet)
            while len(answer) < _MOST:
                chunk = client.recv(1 << 16)
                if not chunk:
                    break
                answer += chunk
        except TimeoutError:
            raise BackstageError(f"no answer within {timeout:.0f} s") from None
    return _parse(answer)


def _parse(answer: bytes) -> Answer:
    head, _blank, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    words = first.split()
    if len(words) < 2 or not words[1].isdigit():
        raise BackstageError("the answer was empty: the worker ended while it answered")
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(b":") for line in lines)}
    location = headers.get(b"location", b"").decode("utf-8", "replace")
    return Answer(int(words[1]), location, body.decode("utf-8", "replace"))


def is_busy(path: str) -> bool:
    """Whether a request is queued at the door or being answered behind it."""
    return any(line[3] == "00000000" and line[5] in _CONNECTED for line in _sockets(path))


def _sockets(path: str) -> list[list[str]]:
    suffix = " " + path
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        return [line.split() for line in table if line.rstrip("\n").endswith(suffix)]


def wait_idle(path: str, timeout: float) -> bool:
    """Wait until nothing is queued or answered for 0.2 s; return whether that came in time."""
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    deadline = time.monotonic() + timeout
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 0.2:
        caller.check()
        if is_busy(path):
            quiet_since = time.monotonic()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
