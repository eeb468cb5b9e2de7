# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gunicorn loads in place of an Act's own wsgi.py or asgi.py: `backstage_http:wsgi()` or `backstage_http:asgi()`.

Requests come by HTTP, from nginx or from Backstage, and nobody else reaches the door. So these headers can be believed,
which nginx writes or drops:

X-Real-IP               the visitor's address
X-Backstage-Prefix      the path below which the Act plays, where it is not the root
X-Backstage-Roll-Call   as in backstage_questions.py
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Iterable
from typing import Any, Callable

import backstage_wrapper
from backstage_questions import ROLL_CALL, Asked, Questions

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PREFIX_HEADER, CALL_HEADER, QUESTION_HEADER = "X-Backstage-Prefix", "X-Backstage-Roll-Call", "X-Backstage-Question"


class WsgiAsked(Asked):
    """A WSGI application that meets by HTTP what it meets by the uwsgi protocol."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = environ.get("HTTP_X_REAL_IP", "")  # a local socket has no address
        environ["SCRIPT_NAME"] = environ.pop(_variable(PREFIX_HEADER), "")
        environ[ROLL_CALL] = environ.pop(_variable(CALL_HEADER), "")
        return super().__call__(environ, start_response)


class AsgiAsked(Questions):
    """An ASGI application that answers Backstage's questions as well."""

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        given = {name: _taken(scope, name) for name in (PREFIX_HEADER, CALL_HEADER, QUESTION_HEADER)}
        ours = [name.lower().encode() for name in given]
        scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() not in ours]}
        if given[PREFIX_HEADER]:
            _put_below(scope, given[PREFIX_HEADER])
        headers = self.proof(given[QUESTION_HEADER])
        if given[CALL_HEADER]:
            turn = self.turn(given[CALL_HEADER])
            headers += turn.headers
            while not self.is_over(turn):
                await asyncio.sleep(0.002)
            if not turn.is_first:
                await send({"type": "http.response.start", "status": 204, "headers": _encoded(headers)})
                await send({"type": "http.response.body"})
                return

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_encoded(headers)]}
            await send(message)

        await self.application(scope, receive, answer if headers else send)


def _variable(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


def _taken(scope: Scope, header: str) -> str:
    """The value of a header that came once at most."""
    name = header.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


def _put_below(scope: Scope, prefix: str) -> None:
    scope["root_path"] = prefix
    scope["path"] = prefix + scope["path"]
    if scope.get("raw_path"):
        scope["raw_path"] = prefix.encode() + scope["raw_path"]


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


def wsgi() -> WsgiAsked:
    """The Act's WSGI application, ready to be forked."""
    found: WsgiAsked = backstage_wrapper.build(os.environ, "wsgi", WsgiAsked)
    return found


def asgi() -> AsgiAsked:
    """The Act's ASGI application, ready to be forked."""
    found: AsgiAsked = backstage_wrapper.build(os.environ, "asgi", AsgiAsked)
    return found
