# SPDX-License-Identifier: GPL-3.0-or-later
"""Token, deploy key and password of the index are in no process list while they are used, and on no disk afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bed import Bed
from mishaps import Mishaps

testinfra_hosts = ["ansible://backstage_stage"]

# Reads every process until its standard input ends. The first line of the input has the texts that no process may show.
WATCH = """
import glob, json, os, select, sys
marks, seen, looks = sys.stdin.readline().split(), set(), 0
print("open", flush=True)
while not select.select([sys.stdin], [], [], 0.01)[0]:
    looks += 1
    for place in glob.glob("/proc/[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                data = open(f"{place}/{name}", "rb").read().decode(errors="replace")
            except OSError:
                continue
            seen |= {(mark[:12], name) for mark in marks if mark in data}
print(json.dumps([looks, sorted(seen)]))
"""


@contextmanager
def watched(command: list[str], *marks: str) -> Iterator[list[Any]]:
    """Watch all processes of a machine. Afterwards the list has the number of looks, and what was seen."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    process.stdin.write(" ".join(marks) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "open\n"
    found: list[Any] = []
    try:
        yield found
    finally:
        said, _nothing = process.communicate("end\n", timeout=30)
        found += json.loads(said)


def private_half(bed: Bed) -> str:
    return (bed.state / "deploy_key").read_text(encoding="utf-8").splitlines()[2]


def test_no_process_shows_a_secret(bed: Bed) -> None:
    stage = Mishaps(bed, bed.url("open/plain"))
    password, key = bed.stock["password"], private_half(bed)
    token, rooms = bed.fork("closed/watched", "closed/plain"), bed.fork("keyed/watched", "keyed/rooms")
    token.edition("watched")
    rooms.commit({"README": "watched\n"})
    where = f"ssh://git@{bed.stock['url'].removeprefix('https://')}/srv/supplies/git"
    index = {"extra_urls": [f"{bed.stock['url']}/private/simple/"], "username": "reader", "password": password}
    acts = {
        "token": {"source": {"git": token.url, "version": "main", "username": "reader", "password": password}},
        "key": {
            "source": {
                "git": f"{where}/keyed/watched.git",
                "version": "main",
                "key": str(bed.state / "deploy_key"),
                "submodules": True,
                "subdir": "site",
            }
        },
        "index": {
            "source": {"path": str(bed.state / "corpus/private-index")},
            "index": index,
            "refresh": str(time.time()),
        },
    }
    here = watched([sys.executable, "-c", WATCH], password, key)
    there = watched(bed.hosts[stage.host].command("/usr/bin/python3", "-c", WATCH), password, key)
    with here as seen_here, there as seen_there:
        run = stage.play(**acts)
    assert run.code == 0, run.printed[-3000:]
    assert password not in run.printed
    # git and ssh have them in their own environment, which no other user can read
    assert {where for _mark, where in seen_here[1]} <= {"environ"}
    # a host gets only the password of the index, in the environment of the process that installs
    assert [mark for mark, where in seen_there[1] if where == "cmdline" or not password.startswith(mark)] == []
    assert min(seen_here[0], seen_there[0]) > 20


def test_no_credential_is_on_the_host(host: Any, bed: Bed) -> None:
    places = "/etc /home /opt /root /run /srv /tmp /usr/local /var/lib/systemd /var/log /var/tmp"
    look = f"LC_ALL=C grep -rlsF --devices=skip -e %s -e %s {places}"
    assert host.run(look, bed.stock["password"], private_half(bed)).stdout == ""
