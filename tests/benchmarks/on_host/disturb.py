# SPDX-License-Identifier: GPL-3.0-or-later
"""What a careless deployer does to the live Sess of an Act, so that the load test has something to notice.

disturb.py stop-start|touch PRODUCTION ACT; runs on the host as root. Prints when it began and when it was over.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

FACTS = json.loads(Path("/etc/backstage/stage.json").read_text())


def vassals() -> dict[str, dict[str, object]]:
    """The emperor's list; asking for it also makes the emperor look at its directory at once."""
    with socket.socket(socket.AF_UNIX) as stats:
        stats.connect(FACTS["stats"])
        text = b"".join(iter(lambda: stats.recv(65536), b""))
    return {vassal["id"]: vassal for vassal in json.loads(text)["vassals"]}


def wait(what: str, done: object) -> None:
    end = time.time() + 60
    while not done():  # type: ignore[operator]
        if time.time() > end:
            sys.exit(f"waited 60 s for {what}")
        time.sleep(0.02)


def stop_start(link: Path) -> None:
    """Stop what plays and start it again: what "restart" means to most."""
    target = os.readlink(link)
    link.unlink()
    wait("the Sess to stop", lambda: link.name not in vassals())
    hidden = link.with_name("." + link.name)
    hidden.symlink_to(target)
    hidden.rename(link)
    wait("the Sess to start", lambda: vassals().get(link.name, {}).get("accepting") == 1)


def touch(link: Path) -> None:
    """Tell the emperor to reload the vassal in place."""
    os.utime(link.resolve())
    vassals()
    time.sleep(5)


def main() -> None:
    kind, production, act = sys.argv[1:]
    links = list(Path(FACTS["vassals"]).glob(f"backstage.{production}.{act}.*.ini"))
    if len(links) != 1:
        sys.exit(f"wanted one Sess of {act}, found {links}")
    began = time.time()
    {"stop-start": stop_start, "touch": touch}[kind](links[0])
    print(began, time.time())


main()
