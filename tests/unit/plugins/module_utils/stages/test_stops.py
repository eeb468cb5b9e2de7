# SPDX-License-Identifier: GPL-3.0-or-later
"""Sesses that are drained and stopped: open requests are finished, and nothing is left."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages import door
from waiting import eventually

from ...house import A, B, House
from .wishes import SESS, carry_out, events, on_the_host, want


@pytest.mark.usefixtures("emperor")
def test_what_is_being_answered_is_finished(crewed: House) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    path = crewed.act().sess(f"{A}.1").socket
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(path)
        thread = threading.Thread(target=carry_out, args=(crewed, want(release=B)))
        thread.start()
        eventually(lambda: crewed.state().live == f"{B}.1")
        time.sleep(0.4)
        assert on_the_host(crewed) == (f"{B}.1", [f"{A}.1", f"{B}.1"], [f"{A}.1", f"{B}.1"])
    thread.join()
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])


@pytest.mark.usefixtures("emperor")
def test_a_request_that_never_ends_gives_a_warning(crewed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in (A, B):
        crewed.build(release)
    carry_out(crewed, want())
    waited: list[float] = []
    monkeypatch.setattr(door, "wait_idle", lambda path, timeout: bool(waited.append(timeout)))
    said = f"act kittens: Sess {A}.1 was still answering after 10 s and was stopped"
    assert (carry_out(crewed, want(release=B)), waited) == ([said], [10])
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])


@pytest.mark.usefixtures("emperor")
def test_stopped_and_started_again(crewed: House) -> None:
    crewed.build(A)
    carry_out(crewed, want())
    carry_out(crewed, replace(want(), sess=replace(SESS, state="stopped")))
    assert on_the_host(crewed) == (None, [], [])
    assert events(crewed)[-1] == ("stopped", f"{A}.1")
    carry_out(crewed, want())
    assert on_the_host(crewed) == (f"{A}.2", [f"{A}.2"], [f"{A}.2"])
