# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the files of a Production on a host, as the documentation describes them, without the collection's own code."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import PurePosixPath
from typing import Any

LEFTOVERS = "/var/tmp/leftovers.py"  # noqa: S108 - it is copied there before everything else
BEFORE = "/var/tmp/before.json"  # noqa: S108


@dataclass(frozen=True)
class Found:
    """A file's owner, group and mode."""

    owner: str
    group: str
    mode: str

    def __str__(self) -> str:
        return f"{self.owner}:{self.group} {self.mode}"


@dataclass(frozen=True)
class Act:
    """One Act that plays on a host."""

    production: str
    name: str
    release: str
    sess: str

    @property
    def player(self) -> str:
        return f"{self.production}-{self.name}"

    @property
    def builder(self) -> str:
        return f"{self.production}_{self.name}"

    @property
    def root(self) -> PurePosixPath:
        return PurePosixPath("/srv/backstage", self.production, "acts", self.name)

    @property
    def release_root(self) -> PurePosixPath:
        return self.root / "releases" / self.release

    @property
    def sess_root(self) -> PurePosixPath:
        return self.root / "sesses" / self.sess

    @property
    def log(self) -> PurePosixPath:
        return PurePosixPath("/var/log/backstage", self.production, self.name + ".log")


@dataclass(frozen=True)
class Answer:
    """An answer to a visitor."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)
        return data


def ask(address: str, venue: str, path: str = "/", body: bytes | None = None, **headers: str) -> Answer:
    """Send one request to a host's nginx, and never repeat it. In a header's name `_` stands for `-`."""
    connection = HTTPConnection(address, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if body is None else "POST", path, body, {"Host": venue, **named})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def lines(host: Any, *words: str) -> list[str]:
    """Run a command, which must succeed, and return the lines of its output."""
    said: list[str] = host.check_output(shlex.join(words)).splitlines()
    return said


def found(host: Any, *paths: PurePosixPath | str) -> dict[str, Found]:
    """Return owner, group and mode of files. Symlinks are not followed."""
    said = lines(host, "stat", "--format=%U:%G %a %n", *map(str, paths))
    parts = (re.fullmatch(r"([^:]+):(\S+) (\d+) (.*)", line) for line in said)
    return {part[4]: Found(part[1], part[2], part[3].rjust(4, "0")) for part in parts if part}


def acts(host: Any, production: str) -> dict[str, Act]:
    """Return the Acts that play, by their symlinks `live`."""
    playing = {}
    for line in lines(host, "find", f"/srv/backstage/{production}/acts", "-name", "live", "-printf", "%h %l\n"):
        folder, _blank, sess = line.partition(" ")
        name, sess = PurePosixPath(folder).name, PurePosixPath(sess).name
        playing[name] = Act(production, name, sess.partition(".")[0], sess)
    return playing


def address(host: Any) -> str:
    """Return the address at which this controller reaches the host."""
    return lines(host, "hostname", "-I")[0].split()[0]


def record(host: Any, path: PurePosixPath | str) -> dict[str, Any]:
    """Return the data of a JSON file."""
    data: dict[str, Any] = json.loads(host.check_output(shlex.join(["cat", str(path)])))
    return data


def leftovers(host: Any, allowed: str) -> list[str]:
    """Return what is new on the host and in no line of an allow-list."""
    path = "/var/tmp/allowed"  # noqa: S108
    host.check_output(f"printf %s {shlex.quote(allowed)} > {path}")
    said = host.run(f"/usr/bin/python3 {LEFTOVERS} check {BEFORE} {path}")
    assert said.rc in (0, 1), said.stderr
    found: list[str] = [line for line in said.stdout.splitlines() if line and not line.endswith(path)]
    return found
