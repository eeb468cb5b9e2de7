# SPDX-License-Identifier: GPL-3.0-or-later
"""workers.py PRODUCTION ACT: which processes keep the workers of an Act, and which of these work; as JSON.

The kernel is asked, and the log of the workers; Backstage's own code is not.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import re
import subprocess
import sys
from typing import Any

STARTED = re.compile(r" - backstage: worker (\S+) started, pid (\d+)$")


def processes() -> dict[int, str]:
    """The command line of every process."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as file:
                found[int(name)] = file.read().replace("\0", " ").strip()
        except OSError:
            continue  # it ended meanwhile
    return found


def is_held(path: str) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def take(production: str, act: str) -> dict[str, Any]:
    root = f"/srv/backstage/{production}/acts/{act}"
    sess = os.path.basename(os.path.realpath(f"{root}/live"))
    crew = f"{root}/sesses/{sess}/crew"
    running = processes()
    with open(f"/var/log/backstage/{production}/{act}.crew.log", encoding="utf-8", errors="replace") as file:
        started = {line[1]: int(line[2]) for line in map(STARTED.search, file.read().splitlines()) if line}
    show = ["systemctl", "show", "-P", "MainPID", "backstage-emperor"]
    return {
        "sess": sess,
        "working": {
            name: started.get(name)
            for name in sorted(os.path.basename(path)[:-5] for path in glob.glob(f"{crew}/*.lock"))
            if is_held(f"{crew}/{name}.lock") and started.get(name) in running
        },
        "supervisors": [pid for pid, line in running.items() if f"backstage_worker.py {crew}" in line],
        "masters": [pid for pid, line in running.items() if line.startswith(f"{production}/{act}/{sess}/crew ")],
        "emperors": [int(subprocess.run(show, check=True, stdout=subprocess.PIPE, text=True).stdout)],
        "beats": [pid for pid, line in running.items() if re.search(r"\bcelery .* beat ", line)],
    }


if __name__ == "__main__":
    print(json.dumps(take(*sys.argv[1:])))
