# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers: small ones on unix sockets, one of which speaks the uwsgi protocol, and nginx itself."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import jinja2
import yaml
from waiting import eventually

FRONT_OF_HOUSE = Path(__file__).parents[3] / "roles" / "front_of_house"
Variables = dict[str, str]


@contextmanager
def listening(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Call serve with each connection to a socket that everybody may connect to, one after the other."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o666)
        server.listen(16)
        server.settimeout(0.05)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    client, _peer = server.accept()
                except TimeoutError:
                    continue
                with client, contextlib.suppress(OSError):  # the client went away
                    client.settimeout(None)
                    serve(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = client.recv(size - len(data))
        if not chunk:
            raise ConnectionResetError("the client closed in the middle")
        data += chunk
    return data


def role_text(name: str) -> str:
    """A file that the role writes on every host in the same words, such as "uwsgi.params"."""
    variables = yaml.safe_load((FRONT_OF_HOUSE / "vars" / "main.yml").read_text())
    template = jinja2.Template((FRONT_OF_HOUSE / "templates" / f"{name}.j2").read_text(), trim_blocks=True)
    return template.render(variables)


def read_http(client: socket.socket) -> tuple[str, list[tuple[str, str]]]:
    """The first line of a request by HTTP, and its headers."""
    said = b""
    while b"\r\n\r\n" not in said:
        chunk = client.recv(1 << 16)
        if not chunk:
            raise ConnectionResetError("the client closed in the middle")
        said += chunk
    first, *lines = said.decode().split("\r\n\r\n")[0].split("\r\n")
    parts = [line.partition(": ") for line in lines]
    return first, [(name.lower(), value) for name, _colon, value in parts]


def read_request(client: socket.socket) -> Variables:
    """One uwsgi packet: modifier 0, a size, then lengths and texts in pairs."""
    modifier, size, _other = struct.unpack("<BHB", exactly(client, 4))
    assert modifier == 0
    data = exactly(client, size)
    texts: list[str] = []
    while data:
        (length,) = struct.unpack("<H", data[:2])
        texts.append(data[2 : 2 + length].decode())
        data = data[2 + length :]
    return dict(zip(texts[::2], texts[1::2]))


WORKERS = 2
MAIN = """
user www-data;
daemon on;
worker_processes {workers};
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{}}
http {{ {places}
    server_names_hash_bucket_size 512;
    server {{ listen {port} default_server; return 444; }}
    include {root}/htt[p];
    include {venues}/*.conf;
    include {root}/by-hand*.conf;
}}
"""


def places(root: Path) -> str:
    """The paths that a host has from nginx's package."""
    temporary = [f"{what}_temp_path {root}/{what};" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    return " ".join([*temporary, "access_log off;"])


def checker(root: Path, program: str, main: Path = Path("/dev/null")) -> str:
    """nginx -t as a host has it: with the paths of its package, and this main file where none is given."""
    script = root / "nginx-t"
    script.write_text(
        f"#!/bin/sh\nmain={main}\n"
        'for word; do [ "$before" = -c ] && main=$word; before=$word; done\n'
        'case $1 in -t|-T) ;; *) exit 2;; esac; checked=$(mktemp); trap "rm $checked" EXIT\n'
        f"sed 's#^http {{$#& {places(root)}#' \"$main\" > $checked\n"
        f'{program} -e stderr "$1" -q -c $checked\n'
    )
    script.chmod(0o755)
    return str(script)


@dataclass(frozen=True)
class Nginx:
    """A real nginx with its own files and a port of its own."""

    program: str
    root: Path
    port: int

    @classmethod
    @contextmanager
    def running(cls, program: str, root: Path, venues: str, port: int) -> Iterator[Nginx]:
        found = cls(program, root, port)
        found.main.write_text(MAIN.format(root=root, venues=venues, workers=WORKERS, port=port, places=places(root)))
        subprocess.run([program, "-e", root / "error.log", "-c", found.main], check=True)
        try:
            eventually(lambda: found.workers() >= WORKERS)
            yield found
        finally:
            pid = int((root / "nginx.pid").read_text())
            os.kill(pid, signal.SIGTERM)
            eventually(lambda: not Path(f"/proc/{pid}").exists())  # it has its port for longer than its file

    @property
    def main(self) -> Path:
        return self.root / "nginx.conf"

    def workers(self) -> int:
        """As many have come up, and call themselves so."""
        master = (self.root / "nginx.pid").read_text().strip()
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return ["worker process" in Path(f"/proc/{pid}/cmdline").read_text() for pid in children].count(True)

    def get(self, host: str, path: str = "/") -> tuple[int, dict[str, str], str]:
        """Status, headers and body of a page."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            client.request("GET", path, headers={"Host": host})
            answer = client.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            client.close()


def uwsgi_params(**values: str) -> str:
    """Return lines of nginx that give an Act these variables."""
    return "".join(f"uwsgi_param {name} {value};\n" for name, value in values.items())


_PORTS = itertools.cycle(range(20_000, 32_000))


def free_port() -> int:
    """Return a port that nothing has: below the range from which the kernel takes ports of clients."""
    while True:
        port = next(_PORTS)
        with contextlib.suppress(OSError), socket.socket() as found:
            found.bind(("", port))
            return port


@dataclass(frozen=True)
class Postgres:
    """A real PostgreSQL of daemon's, who is its superuser, with a socket that everybody may come to."""

    root: Path
    bin: Path

    @classmethod
    @contextmanager
    def running(cls, initdb: Path, psql: Path, root: Path) -> Iterator[Postgres]:
        """Copied first: where packages are unpacked, daemon may not come."""
        version, usr = initdb.parents[1].name, initdb.parents[4]
        for part in ("lib", "share"):
            place = f"{part}/postgresql/{version}"
            shutil.copytree(usr / place, root / place, symlinks=True, ignore=shutil.ignore_patterns("bitcode"))
        found = cls(root, root / f"lib/postgresql/{version}/bin")
        for program in ("psql", "pg_dump", "pg_restore"):
            shutil.copy(psql.parent / program, found.bin)
        found.client.write_text(f'#!/bin/sh\nexec {found.bin}/psql --host={root} "$@"\n')
        found.client.chmod(0o755)
        os.chown(root, 1, 1)
        options = ["--username=daemon", "--auth=peer", "--no-sync", "--locale=C", "--encoding=UTF8"]
        found.run("initdb", *options)
        try:
            found.start()
            yield found
        finally:
            found.stop()

    def run(self, program: str, *options: str) -> None:
        argv = [self.bin / program, "--pgdata", self.root / "data", *options]
        log = self.root / "tools.log"
        with log.open("a") as out:  # no pipe: the server would keep it open
            who: dict[str, Any] = {"user": 1, "group": 1, "extra_groups": [1]}
            ended = subprocess.run(argv, cwd="/", stdout=out, stderr=out, check=False, **who)
        assert ended.returncode == 0, log.read_text()

    def start(self) -> None:
        log, options = str(self.root / "server.log"), f"-c listen_addresses= -k {self.root} -F"
        self.run("pg_ctl", "start", "--wait", "--log", log, "-o", options)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "--wait", "--mode=immediate")

    @property
    def client(self) -> Path:
        """psql as a host has it: it finds the socket by itself."""
        return self.root / "psql"

    def ask(self, sql: str, database: str = "postgres", uid: int = 1) -> str:
        """What a user is told by a database: rows, or the error."""
        argv = [self.client, "--no-psqlrc", "--no-align", "--tuples-only", f"--dbname={database}", f"--command={sql}"]
        ended = subprocess.run(
            argv, user=uid, group=uid, extra_groups=[uid], cwd="/", capture_output=True, text=True, check=False
        )
        return (ended.stdout + ended.stderr).strip()

    def reset(self) -> None:
        """As the package leaves it: nothing but its own."""
        # FirstNormalObjectId
        for name in self.ask("SELECT datname FROM pg_database WHERE oid >= 16384").splitlines():
            self.ask(f'DROP DATABASE "{name}" WITH (FORCE)')
        for name in self.ask("SELECT rolname FROM pg_roles WHERE oid >= 16384").splitlines():
            self.ask(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')
        self.ask("GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC")
