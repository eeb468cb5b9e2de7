# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to name servers, over UDP."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from typing import Union

PORT = 53
TIMEOUT = 2.0
SOA, A, AAAA, CNAME = 6, 1, 28, 5
Value = Union[str, int]
_CODES = {1: "does not understand the question", 2: "server failure", 3: "no such name", 5: "refused"}
_NO_SUCH_NAME = 3
_LONGEST, _MOST_LABELS = 4096, 128


@dataclass(frozen=True)
class Found:
    """One record of an answer: an address, a name, or the serial of a SOA."""

    owner: str
    kind: int
    value: Value


class NoAnswer(Exception):
    """Why a name server did not say what it was asked."""


class Silent(NoAnswer):
    """Why a name server said nothing at all."""


def ask(server: str, name: str, kind: int, timeout: float = TIMEOUT) -> list[Found]:
    """The records that a name server answers, without those that it adds; none where it knows no such name.

    Args:
        server: its address.
        name: with its final dot.
        kind: SOA, A, AAAA or CNAME.
        timeout: for how many seconds it may think.

    Raises:
        NoAnswer: it says nothing, or nothing useful.
    """
    number = secrets.token_bytes(2)
    labels = b"".join(bytes([len(label)]) + label for label in name.encode("ascii").rstrip(b".").split(b"."))
    question = number + struct.pack("!5H", 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)
    try:
        return _read(_answer(server, question, timeout), question)
    except TimeoutError:
        raise Silent("does not answer") from None
    except OSError as error:
        raise Silent(error.strerror or str(error)) from None
    except (struct.error, IndexError, ValueError):
        raise NoAnswer("answers nonsense") from None


def _answer(server: str, question: bytes, timeout: float) -> bytes:
    """The answer to this question; what else comes is not looked at."""
    end = time.monotonic() + timeout
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect((server, PORT))
        udp.send(question)
        while True:
            udp.settimeout(max(end - time.monotonic(), 0.001))
            data = udp.recv(_LONGEST)
            if data[:2] == question[:2]:
                return data


def _read(data: bytes, question: bytes) -> list[Found]:
    flags, questions, answers = struct.unpack("!3H", data[2:8])
    code = flags & 15
    if code and code != _NO_SUCH_NAME:
        raise NoAnswer(_CODES.get(code, f"code {code}"))
    if flags & 0x200:
        raise NoAnswer("has more to say than fits into one packet")
    at = 12
    for _number in range(questions):
        at = _name(data, at)[1] + 4
    found = []
    for _number in range(answers):
        owner, at = _name(data, at)
        kind, _class, _ttl, size = struct.unpack("!HHIH", data[at : at + 10])
        at += 10
        if kind in (SOA, A, AAAA, CNAME):
            found.append(Found(owner, kind, _value(data, at, size, kind)))
        at += size
    return found


def _value(data: bytes, at: int, size: int, kind: int) -> Value:
    if kind in (A, AAAA):
        return str(ipaddress.ip_address(data[at : at + size]))
    name, end = _name(data, at)
    if kind == CNAME:
        return name
    _mailbox, end = _name(data, end)
    serial: int = struct.unpack("!I", data[end : end + 4])[0]
    return serial


def _name(data: bytes, at: int) -> tuple[str, int]:
    """A name, and where it ends; a part of it may stand elsewhere in the packet."""
    labels: list[str] = []
    end = 0
    for _step in range(_MOST_LABELS):
        size = data[at]
        if size >= 0xC0:
            end = end or at + 2
            at = struct.unpack("!H", data[at : at + 2])[0] & 0x3FFF
        elif size:
            labels.append(data[at + 1 : at + 1 + size].decode("ascii").lower())
            at += 1 + size
        else:
            return ".".join(labels) + ".", end or at + 1
    raise ValueError("a name that goes round in circles")


def serial(server: str, zone: str) -> int:
    """The serial of a zone, as a name server has it.

    Raises:
        NoAnswer: it does not say.
    """
    for found in ask(server, zone, SOA):
        if found.kind == SOA and isinstance(found.value, int):
            return found.value
    raise NoAnswer("does not have the zone")


def is_reached(found: int, wanted: int) -> bool:
    """Whether a serial is this one or a later one, on the circle of RFC 1982."""
    return (found - wanted) % 2**32 < 2**31
