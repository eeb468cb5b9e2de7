# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real gunicorn and uvicorn processes at a door that is handed to them as systemd does it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages import door, roll_call
from ansible_collections.backstage.django.plugins.module_utils.stages.proofs import Question
from waiting import LONG, eventually
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import unix_connect

from ...told import told

FILES = Path(__file__).parents[5] / "roles" / "stage" / "files"
TOKEN = "t" * 32
HANDED_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""
VIEWS = """
import json, os, time, asyncio
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

SEEN = ("REMOTE_ADDR", "SCRIPT_NAME", "PATH_INFO", "HTTP_X_REAL_IP", "HTTP_X_BACKSTAGE_PREFIX", "SERVER_NAME")

def meet(request, rest=""):
    found = {name: request.META[name] for name in SEEN if name in request.META}
    environ = {name.hex(): value.hex() for name, value in os.environb.items()}
    asked = [name for name in request.META if "ROLL_CALL" in name or "QUESTION" in name]
    return JsonResponse({**found, "secure": request.is_secure(), "path": request.path, "pid": os.getpid(),
                         "asked": asked, "environ": environ})

def slow(request):
    time.sleep(1.5)
    return HttpResponse("slept")

def stream(request):
    return StreamingHttpResponse(iter(["one,", "two"]))

urlpatterns = [path("slow", slow), path("stream", stream), path("<path:rest>", meet), path("", meet)]
"""
ASGI = """
from django.core.asgi import get_asgi_application
django = get_asgi_application()

async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return await django(scope, receive, send)
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": scope["path"] + message["text"]})
"""
PROJECT = {
    "band/__init__.py": "",
    "band/settings.py": """
SECRET_KEY = "not a secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "band.urls"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
""",
    "band/urls.py": VIEWS,
    "band/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
    "band/asgi.py": ASGI,
    "gunicorn.conf.py": "raise SystemExit('the project has no say')\n",
}
KINDS = ["sync", "gthread", "gevent", "asgi"]


@dataclass
class Server:
    """One server with its door; it is started with the variables of a directory."""

    root: Path
    kind: str
    processes: int = 2
    threads: int = 3
    extra: dict[str, bytes] = field(default_factory=dict)
    process: Any = None

    @property
    def door(self) -> door.Door:
        return door.Door(str(self.root / "h"), "http")

    @property
    def log(self) -> str:
        return (self.root / "log").read_text()

    def variables(self) -> dict[str, bytes]:
        application = "band.asgi:application" if self.kind == "asgi" else "band.wsgi:application"
        paths = os.pathsep.join([str(self.root), *filter(None, sys.path)])
        return {
            "DJANGO_SETTINGS_MODULE": b"band.settings",
            "BACKSTAGE_APPLICATION": application.encode(),
            "BACKSTAGE_TOKEN": TOKEN.encode(),
            "PYTHONPATH": paths.encode(),
            "PYTHONDONTWRITEBYTECODE": b"1",
            **self.extra,
        }

    @property
    def crew(self) -> roll_call.Crew:
        return roll_call.Crew(self.processes, self.threads if self.kind == "gthread" else 1, 20)

    def argv(self) -> list[str]:
        worker = "backstage_uvicorn.Worker" if self.kind == "asgi" else self.kind
        threads = str(self.threads)
        more = ["--threads", threads, "--worker-connections", threads] if self.kind == "gthread" else []
        factory = f"backstage_http:{'asgi' if self.kind == 'asgi' else 'wsgi'}()"
        config = ["--config", str(FILES / "gunicorn.conf.py"), "--pythonpath", str(FILES)]
        counts = ["--workers", str(self.processes), "--timeout", "20", "--graceful-timeout", "8", *more]
        return [sys.executable, "-m", "gunicorn", *config, "--worker-class", worker, *counts, factory]

    def start(self) -> bytes:
        """Start it; what it tells systemd first, or nothing when it has ended."""
        (self.root / "env").mkdir()
        for name, value in self.variables().items():
            (self.root / "env" / name).write_bytes(value + b"\n")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.door.path)
        Path(self.door.path).chmod(0o666)
        listener.listen(128)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(str(self.root / "notify"))
        notify.settimeout(0.05)
        launcher = [sys.executable, "-IS", str(FILES / "backstage_env.py"), str(self.root / "env"), *self.argv()]
        with listener, notify, open(self.root / "log", "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", HANDED_OVER, str(listener.fileno()), *launcher],
                cwd=self.root,
                env={"NOTIFY_SOCKET": str(self.root / "notify"), "LEFT": "behind"},
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
            while self.process.poll() is None:
                with contextlib.suppress(TimeoutError):
                    return notify.recv(4096)
        return b""

    def ask(self, url: str = "/", **more: Any) -> door.Answer:
        return door.ask(self.door, url, "a.example", more.pop("scheme", "http"), 20, **more)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return int(self.process.wait(100))


@pytest.fixture
def project(place: Path) -> Path:
    for name, text in PROJECT.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    return place


@contextlib.contextmanager
def playing(root: Path, kind: str, **more: Any) -> Iterator[Server]:
    server = Server(root, kind, **more)
    said = server.start()
    assert b"READY=1" in said, server.log
    try:
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.process.pid, signal.SIGKILL)  # a worker may outlive the first process
        server.process.wait()


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_plays(project: Path, kind: str) -> None:
    """It says READY, answers at its door as uWSGI would, and every worker takes part in a roll call."""
    with playing(project, kind) as server:
        found = json.loads(server.ask("/a/b?c").body)
        assert {name: found.get(name) for name in ("REMOTE_ADDR", "SCRIPT_NAME", "PATH_INFO", "path", "asked")} == {
            "REMOTE_ADDR": "127.0.0.1",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/a/b",
            "path": "/a/b",
            "asked": [],
        }
        assert "HTTP_X_BACKSTAGE_PREFIX" not in found
        assert found["secure"] is False
        assert server.ask("/stream").body == "one,two"
        for _time in range(2):
            variables = door.variables("/", "a.example", "http")
            assert roll_call.ask(server.door, variables, 20, server.crew).status == 200


@pytest.mark.parametrize("kind", ["gthread", "asgi"])
def test_below_a_path_and_by_https(project: Path, kind: str) -> None:
    """nginx passes on what follows the prefix, and the prefix as a header."""
    with playing(project, kind, processes=1) as server:
        found = json.loads(server.ask("/a", prefix="/blog", scheme="https").body)
        assert (found["SCRIPT_NAME"], found["path"], found["secure"]) == ("/blog", "/blog/a", True)
        assert "HTTP_X_BACKSTAGE_PREFIX" not in found


HOSTILE = {
    "LINES": b"one\n\ntwo",
    "QUOTES": b"\"'\\",
    "UNIT": b"%h %% $HOME ${HOME} $(id) @(exec://id)",
    "UTF": "\u00e4\u20ac".encode(),
    "EMPTY": b"",
    "BLANKS": b" \t x \t \n",
    "BYTES": b"\xc8\xff",
    "LONG": b"x" * 120_000,
}


@pytest.mark.parametrize("kind", ["gthread", "asgi"])
def test_variables_byte_for_byte(project: Path, kind: str) -> None:
    """Nothing is read from a unit or an argument, and nothing of the manager's environment but the door is left."""
    with playing(project, kind, processes=1, extra=HOSTILE) as server:
        met = json.loads(server.ask("/").body)["environ"]
    found = {bytes.fromhex(name).decode(): bytes.fromhex(value) for name, value in met.items()}
    assert {name: found.get(name) for name in HOSTILE} == HOSTILE
    assert found["PATH"] == b"/usr/local/bin:/usr/bin:/bin"
    assert not {"LEFT", "BACKSTAGE_TOKEN"} & found.keys()


@pytest.mark.parametrize("kind", ["gthread", "asgi"])
@pytest.mark.parametrize("name", ["settings", "urls"])
def test_a_mistake_ends_the_start(project: Path, kind: str, name: str) -> None:
    """READY is never told, and the traceback is in the log."""
    (project / "band" / f"{name}.py").write_text("import brass\n")
    server = Server(project, kind)
    assert (server.start(), server.process.returncode) == (b"", 1)
    assert "ModuleNotFoundError: No module named 'brass'" in server.log


WRONG = [
    ("gthread", "band.asgi:application", "is an ASGI application, and this Stage plays WSGI"),
    ("asgi", "band.wsgi:application", "is no ASGI application, which this Stage plays"),
]


@pytest.mark.parametrize(("kind", "application", "said"), WRONG)
def test_the_interface_of_the_other_kind(project: Path, kind: str, application: str, said: str) -> None:
    server = Server(project, kind, extra={"BACKSTAGE_APPLICATION": application.encode()})
    assert server.start() == b""
    assert f"{application} {said}" in server.log


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_being_answered_is_finished(project: Path, kind: str) -> None:
    with playing(project, kind) as server, ThreadPoolExecutor() as pool:
        asked = pool.submit(server.ask, "/slow")
        eventually(lambda: door.is_busy(server.door.path))
        assert door.wait_idle(server.door.path, 100, queued_only=True)
        assert server.stop() == 0
        assert (asked.result().status, asked.result().body) == (200, "slept")


def test_websockets_are_closed_with_1012(project: Path) -> None:
    """The code by which browsers know that they may connect again at once."""
    with playing(project, "asgi") as server:
        headers = {"X-Backstage-Prefix": "/blog", "Host": "a.example"}
        with unix_connect(server.door.path, "ws://a.example/chat/", additional_headers=headers) as client:
            client.send("purr")
            assert client.recv(60) == "/blog/chat/purr"
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(60)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1012
        assert server.process.wait(100) == 0


@pytest.mark.parametrize("kind", ["gthread", "asgi"])
def test_a_question_is_answered_by_who_knows_the_token(project: Path, kind: str) -> None:
    with playing(project, kind, processes=1) as server:
        for question, is_foreign in ((Question(TOKEN), False), (Question("u" * 32), True)):
            variables = {**door.variables("/", "a.example", "http"), "HTTP_X_BACKSTAGE_QUESTION": question.header}
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(server.door.path)
                client.sendall(server.door.encode(variables))
                said = b"".join(iter(lambda: client.recv(1 << 16), b""))
            assert json.loads(door.parse(said).body)["asked"] == []
            assert question.is_foreign(door.parse(said)) is is_foreign


@pytest.mark.parametrize("kind", ["gthread", "asgi"])
def test_a_worker_that_is_killed_gets_its_number_back(project: Path, kind: str) -> None:
    """Else a roll call would wait for one that never comes."""
    with playing(project, kind) as server:
        os.kill(json.loads(server.ask("/").body)["pid"], signal.SIGKILL)
        until, answer = time.monotonic() + LONG, ""
        while time.monotonic() < until:
            variables = door.variables("/", "a.example", "http")
            answer = told(roll_call.ask, server.door, variables, 3, server.crew)
            if not answer:
                break
        assert answer == ""
