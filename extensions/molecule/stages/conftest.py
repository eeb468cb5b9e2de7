# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one Production, in their order: each goes on from where the last one left it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

from street import Street  # noqa: E402

ASGI = """
from django.core.asgi import get_asgi_application

django = get_asgi_application()


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return await django(scope, receive, send)
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what is too long for CI to ``make campaign``."""
    if not os.environ.get("CAMPAIGN"):
        items[:] = [item for item in items if item.path.name == "test_1_kinds.py"]


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Street:
    """Both Acts play by uwsgi at first; the busker's project answers WebSockets where it is asked by ASGI."""
    for host in Street.hosts:
        host.put()
    street = Street(Path(__file__).parent / "inventory", tmp_path_factory.mktemp("plays"), "stages")
    street.acts["busker"]["files"] = [{"path": "busker/asgi.py", "content": ASGI}]
    street.play()
    return street
