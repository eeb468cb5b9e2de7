# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of name servers: a real one's, and what hostile or broken ones may send."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.producers import questions

from ...powerdns import PowerDns
from .conftest import PRIMARY, ZONE, run

NAME = f"bar.{ZONE}."
SERVER = "127.0.0.66"


def said(server: str, name: str = NAME, timeout: float = 2.0) -> str:
    try:
        questions.ask(server, name, questions.A, timeout)
    except questions.NoAnswer as error:
        return str(error)
    return ""


@contextmanager
def answering(answer: Callable[[bytes], list[bytes]]) -> Iterator[None]:
    """A name server that answers one question with these packets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((SERVER, questions.PORT))
        udp.settimeout(10)

        def serve() -> None:
            question, client = udp.recvfrom(4096)
            for packet in answer(question):
                udp.sendto(packet, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def headed(question: bytes, flags: int, answers: int = 0, rest: bytes = b"") -> bytes:
    return question[:2] + struct.pack("!5H", flags, 1, answers, 0, 0) + question[12:] + rest


ADDRESS = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes((192, 0, 2, 7))
ANSWERS: list[tuple[Callable[[bytes], list[bytes]], str]] = [
    (lambda question: [headed(question, 0x8400, 1, ADDRESS)], ""),
    (lambda question: [b"XX" + headed(question, 0x8400)[2:], headed(question, 0x8400, 1, ADDRESS)], ""),
    (lambda question: [headed(question, 0x8402)], "server failure"),
    (lambda question: [headed(question, 0x8405)], "refused"),
    (lambda question: [headed(question, 0x840B)], "code 11"),
    (lambda question: [headed(question, 0x8600)], "has more to say than fits into one packet"),
    (lambda question: [headed(question, 0x8400, 60000, ADDRESS)], "answers nonsense"),
    (lambda question: [headed(question, 0x8400, 1, b"\xc0\x0c" + ADDRESS[2:-1])], "answers nonsense"),
    (lambda question: [headed(question, 0x8400, 1, b"\xc0" + bytes((len(question),)))], "answers nonsense"),
    (lambda question: [question[:2]], "answers nonsense"),
    (lambda question: [headed(question, 0x8400, 1, b"\x01\xff\x00" + ADDRESS[2:])], "answers nonsense"),
]


@pytest.mark.parametrize(("answer", "why"), ANSWERS)
def test_what_may_be_answered(answer: Callable[[bytes], list[bytes]], why: str) -> None:
    with answering(answer):
        assert said(SERVER) == why


def test_a_name_server_that_is_not_there() -> None:
    assert said("127.0.0.67") == "Connection refused"


def test_a_name_server_that_is_silent() -> None:
    with answering(lambda _question: []):
        assert said(SERVER, timeout=0.2) == "does not answer"


def test_a_real_name_server(primary: PowerDns) -> None:
    serial = run({f"bar.{ZONE}": ["192.0.2.7", "2001:db8::7"]}).serials[ZONE]
    primary.by_hand(ZONE, f"www.{ZONE}", "CNAME", NAME)
    assert [one.value for one in questions.ask(PRIMARY, NAME, questions.AAAA)] == ["2001:db8::7"]
    found = questions.ask(PRIMARY, f"www.{ZONE}.", questions.A)
    assert [(one.owner, one.value) for one in found] == [(f"www.{ZONE}.", NAME), (NAME, "192.0.2.7")]
    assert questions.ask(PRIMARY, f"nowhere.{ZONE}.", questions.A) == []
    assert questions.serial(PRIMARY, f"{ZONE}.") == serial + 1, "the record by hand"
    assert said(PRIMARY, "elsewhere.test.") == "refused"


@pytest.mark.parametrize(
    ("found", "wanted", "reached"), [(2, 2, True), (3, 2, True), (1, 2, False), (0, 2**32 - 1, True)]
)
def test_serials_go_round_in_a_circle(found: int, wanted: int, reached: bool) -> None:
    assert questions.is_reached(found, wanted) == reached
