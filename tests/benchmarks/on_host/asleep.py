# SPDX-License-Identifier: GPL-3.0-or-later
"""What many sleeping Acts cost a host: asleep.py PRODUCTION ACT HOST-NAME COUNT; prints JSON.

One Act of the Production sleeps already. The others are copies of its vassal, each with a door of its own. They are
removed before this ends.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import struct
import sys
import time
from typing import Any

VASSALS = "/etc/backstage/vassals"
STATS = "/run/backstage/emperor.stats"
LOOK = 20
"""Seconds for which the emperor is watched."""
WAKES = 5


def stats() -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(STATS)
        said = b"".join(iter(lambda: client.recv(1 << 16), b""))
    found: dict[str, Any] = json.loads(said)
    return found


def emperor() -> int:
    return int(stats()["pid"])


def memory(pid: int) -> int:
    """Return the resident memory of a process, in kB."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def cpu(pid: int) -> float:
    """Return the CPU time that a process has used, in seconds."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / float(os.sysconf("SC_CLK_TCK"))


def wake(path: str, host: str) -> float:
    """Return the seconds from a request at a door to the whole answer."""
    given = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/", "PATH_INFO": "/", "SERVER_NAME": host}
    given |= {"SERVER_PORT": "80", "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": host}
    data = b"".join(struct.pack("<H", len(word)) + word.encode() for pair in given.items() for word in pair)
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(120)
        client.connect(path)
        client.sendall(struct.pack("<BHB", 0, len(data), 0) + data)
        said = b"".join(iter(lambda: client.recv(1 << 16), b""))
    if said.split()[1:2] != [b"200"]:
        raise SystemExit(f"{path} answered {said[:200]!r}")
    return time.monotonic() - began


class Crowd:
    """Copies of a sleeping Sess."""

    def __init__(self, production: str, act: str, count: int) -> None:
        live = os.path.realpath(f"/srv/backstage/{production}/acts/{act}/live")
        self.root = f"/srv/backstage/{production}/asleep"
        self.count, self.original = count, os.path.join(live, "door", "s")
        self.vassal = f"backstage.{production}.{act}.{os.path.basename(live)}.ini"
        with open(os.path.join(live, "uwsgi.ini"), encoding="utf-8") as file:
            self.ini = file.read()

    def door(self, number: int) -> str:
        return f"{self.root}/{number}/s"

    def link(self, number: int) -> str:
        return os.path.join(VASSALS, self.vassal.replace(".ini", f"{number}.ini"))

    def make(self) -> float:
        """Make them, and return the seconds until the emperor has opened all doors."""
        began = time.monotonic()
        for number in range(self.count):
            directory = os.path.dirname(self.door(number))
            os.makedirs(directory)
            with open(f"{directory}.ini", "w", encoding="utf-8") as file:
                file.write(self.ini)
            with open(self.link(number) + ".door", "w", encoding="utf-8") as file:
                file.write(self.door(number))
            os.symlink(f"{directory}.ini", self.link(number))
        while not all(os.path.exists(self.door(number)) for number in range(self.count)):
            if time.monotonic() - began > 300:
                raise SystemExit("the emperor has not opened all doors within 300 s")
            stats()  # it looks at its directory when it is asked
            time.sleep(0.2)
        return time.monotonic() - began

    def remove(self) -> None:
        for number in range(self.count):
            for path in (self.link(number) + ".door", self.link(number)):
                if os.path.lexists(path):
                    os.unlink(path)
        stats()
        shutil.rmtree(self.root, ignore_errors=True)


def asleep(path: str) -> None:
    """Wait until the Act of a door has no process: its vassal ends by itself."""
    for _try in range(600):
        titles = [title(pid) for pid in os.listdir("/proc") if pid.isdigit()]
        if not any(path in one for one in titles):
            return
        time.sleep(0.2)
    raise SystemExit(f"{path} does not fall asleep")


def title(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def main(production: str, act: str, host: str, count: str) -> None:
    crowd, pid = Crowd(production, act, int(count)), emperor()
    name = f"{production}/{act}/"
    asleep(name)
    alone = []
    for _round in range(WAKES):
        alone.append(wake(crowd.original, host))
        asleep(name)
    before = memory(pid)
    try:
        made = crowd.make()
        after, used, began = memory(pid), cpu(pid), time.monotonic()
        time.sleep(LOOK)
        share = 100 * (cpu(pid) - used) / (time.monotonic() - began)
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        among = [wake(crowd.door(number), host) for number in range(0, crowd.count, max(1, crowd.count // WAKES))][
            :WAKES
        ]
        asleep(name)
    finally:
        crowd.remove()
    found = {
        "acts": crowd.count,
        "made_s": round(made, 1),
        "memory_kb": after - before,
        "cpu_percent": round(share, 2),
        "descriptors": descriptors,
        "wake_alone_s": round(statistics.median(alone), 2),
        "wake_s": round(statistics.median(among), 2),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
