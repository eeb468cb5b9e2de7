# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the plugins share: real files, users and sockets in places that go with the test."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import databases, dumps
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, server_block
from ansible_collections.backstage.django.plugins.module_utils.host import facts, layout, names, process, users
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production_module
from ansible_collections.backstage.django.plugins.module_utils.productions import (
    planner,
    rehearsal_cache,
    reports,
    strike,
)

from .house import House
from .pebbles import Pebble
from .projects import Make, Project
from .servers import Nginx, Postgres, checker, free_port

DATABASE_CLIENTS = ("psycopg[binary]==3.3.9", "dj-database-url==3.1.2", "django-environ==0.14.0")


@pytest.fixture(scope="session", autouse=True)
def _as_root() -> None:
    """They chown, drop to other users and make devices, as the modules do on a host."""
    assert os.geteuid() == 0, "run these tests as root"
    os.umask(0o022)  # as the modules set it, whatever root's own is


@pytest.fixture
def place() -> Iterator[Path]:
    """A short directory that other users may enter, unlike tmp_path: a socket's path holds 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="bs-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def importing() -> dict[str, str]:
    """The environment of a program of its own that imports this collection."""
    return {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}


@dataclass(frozen=True)
class Crew:
    """A Production of a name that nobody else has, with the two users of its Act kittens, as they are now."""

    production: str

    @property
    def player(self) -> process.User:
        return process.User.named(names.player(self.production, "kittens"))

    @property
    def builder(self) -> process.User:
        return process.User.named(names.builder(self.production, "kittens"))


@pytest.fixture(scope="session")
def crew() -> Iterator[Crew]:
    """Real users, for the tests that change owners or end all of a user's processes: gone with the session."""
    production = "u" + secrets.token_hex(5)
    users.ensure_act(production, "kittens", "/nonexistent")
    try:
        yield Crew(production)
    finally:
        users.remove(names.player(production, "kittens"))
        users.remove(names.builder(production, "kittens"))


@pytest.fixture
def house(place: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """An empty host of the Production jazz, with both roles' facts."""
    return _house(place, monkeypatch, "jazz")


@pytest.fixture
def crewed(place: Path, monkeypatch: pytest.MonkeyPatch, crew: Crew) -> House:
    """An empty host whose Production has real users."""
    return _house(place, monkeypatch, crew.production)


def _house(place: Path, monkeypatch: pytest.MonkeyPatch, production: str) -> House:
    monkeypatch.setattr(layout, "ROOT", str(place / "srv"))
    monkeypatch.setattr(layout, "LOGS", str(place / "log"))
    monkeypatch.setattr(reports, "ROOT", str(place / "srv"))
    for module in (planner, production_module, strike):
        monkeypatch.setattr(module, "HOST_LOCK", str(place / ".lock"))
    monkeypatch.setattr(strike, "ROOT", str(place / "srv"))
    monkeypatch.setattr(rehearsal_cache, "ROOT", str(place / "srv"))
    monkeypatch.setattr(rehearsal_cache, "REHEARSAL_LOCK", str(place / "srv" / ".rehearsal"))
    monkeypatch.setattr(facts, "STAGE", str(place / "etc" / "stage.json"))
    monkeypatch.setattr(facts, "FRONT_OF_HOUSE", str(place / "etc" / "front_of_house.json"))
    monkeypatch.setattr(facts, "DATABASE", str(place / "etc" / "database.json"))
    if nginx._PROGRAM == "/usr/sbin/nginx":  # not the machine's own, if it has one: nobody else has a server here
        monkeypatch.setattr(nginx, "_PROGRAM", "/bin/true")
    monkeypatch.setattr(server_block, "LOGS", str(place / "log"))
    for name in ("srv", "log"):
        (place / name).mkdir()
    return House.at(place, production)


@pytest.fixture
def nginx_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The real nginx, installed or only unpacked: what its package makes on a host is in a place of the test."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "these tests need nginx: run them by make units"
    monkeypatch.setattr(nginx, "_PROGRAM", checker(tmp_path, found))
    monkeypatch.setattr(server_block, "LOGS", str(tmp_path))
    return found


@pytest.fixture(scope="module")
def http_port() -> int:
    """The port of nginx. Each test of a file has an nginx of its own there, one after the other."""
    return free_port()


@pytest.fixture
def open_house(house: House, http_port: int, nginx_program: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A host whose own nginx runs, with a port of its own and nothing booked; what it serves is the test's."""
    monkeypatch.setattr(nginx, "_PID", str(house.root / "nginx.pid"))
    house.host = replace(house.host, http_port=http_port, ipv6=False)
    Path(house.host.params).write_text("uwsgi_param PATH_INFO $document_uri;\nuwsgi_param HTTP_HOST $http_host;\n")
    with Nginx.running(nginx_program, house.root, house.host.venues, house.host.http_port) as running:
        monkeypatch.setattr(nginx, "_PROGRAM", checker(house.root, nginx_program, running.main))
        yield house


@pytest.fixture(scope="module")
def running_pebble(tmp_path_factory: pytest.TempPathFactory, http_port: int) -> Iterator[Pebble]:
    """A test authority, which looks for answers at the port of nginx. Each test of the file begins anew with it."""
    with Pebble.running(tmp_path_factory.mktemp("pebble"), http_port) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """The real PostgreSQL, only unpacked: no service of the machine's."""
    initdb, psql = shutil.which("initdb"), shutil.which("psql")
    assert initdb and psql, "these tests need PostgreSQL: run them by make units"  # noqa: PT018 -- mypy reads both
    place = Path(tempfile.mkdtemp(prefix="bs-pg-"))
    place.chmod(0o755)
    try:
        with Postgres.running(Path(initdb), Path(psql), place) as running:
            yield running
    finally:
        shutil.rmtree(place)


@pytest.fixture
def cluster(postgresql: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """PostgreSQL as its package leaves it; what a test makes there goes with it."""
    monkeypatch.setattr(databases, "_PSQL", str(postgresql.client))
    monkeypatch.setattr(databases, "_SUPERUSER", "daemon")
    yield postgresql
    postgresql.reset()


@pytest.fixture
def peers(cluster: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The cluster is where every client looks, as on a host, and so are PostgreSQL's programs."""
    monkeypatch.setattr(dumps, "CLIENTS", str(cluster.bin))
    sockets = Path("/run/postgresql")  # the /run of unit tests is theirs alone
    sockets.symlink_to(cluster.root)
    yield
    sockets.unlink()


@pytest.fixture(scope="session")
def django(outside: Callable[[], None]) -> Iterator[Path]:
    """A virtual environment of the distribution's Python with Django and more, that other users may read."""
    path = Path(tempfile.mkdtemp(prefix="bs-env-"))
    path.chmod(0o755)
    try:
        subprocess.run(["/usr/bin/python3", "-m", "venv", path], check=True)
        pip = [path / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
        subprocess.run([*pip, "Django==5.2.15", *DATABASE_CLIENTS], check=True, preexec_fn=outside)
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture
def project(place: Path, django: Path) -> Make:
    """Makes the project of these texts."""
    return lambda **texts: Project(place, django, **texts)
