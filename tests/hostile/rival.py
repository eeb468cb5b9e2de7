# SPDX-License-Identifier: GPL-3.0-or-later
"""rival.py VICTIM BURNERS: beside the live Sess, as its player, wait for the builder, then race root's seal.

The builder says by an abstract socket where it builds, and passes a writable descriptor of its code. Each name there
that root has taken is replaced by a link to the victim; burners keep the processors busy, so that root is interrupted
between two calls. What happened is written into BACKSTAGE_DATA.
"""

from __future__ import annotations

import array
import json
import os
import socket
import sys
import time

ROUND = 30


def wait_for_builder() -> tuple[str, list[int], socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0backstage-rival")
        server.listen(1)
        server.settimeout(120)
        builder, _address = server.accept()
    said, ancillary, _flags, _from = builder.recvmsg(4096, socket.CMSG_LEN(16))
    descriptors = array.array("i")
    for _level, _kind, data in ancillary:
        descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return said.decode(), list(descriptors), builder


def burn(count: int) -> None:
    for _number in range(count):
        if os.fork() == 0:
            end = time.monotonic() + 6
            while time.monotonic() < end:
                pass
            os._exit(0)


def swap(names: list[str], links: str) -> int:
    swapped, end = 0, time.monotonic() + ROUND
    for number, name in enumerate(names):
        while os.lstat(name).st_uid != 0:
            if time.monotonic() > end:
                return swapped
        os.rename(f"{links}/{number}", name)
        swapped += 1
    return swapped


def main(victim: str, burners: str) -> None:
    data = os.environ["BACKSTAGE_DATA"]
    where, descriptors, builder = wait_for_builder()
    links, report = f"{data}/links", {"where": where, "descriptors": len(descriptors)}
    os.makedirs(links, exist_ok=True)
    names = [entry.name for entry in os.scandir(where)]
    for number in range(len(names)):
        os.symlink(victim, f"{links}/{number}")
    os.chdir(where)
    builder.sendall(b"go")
    burn(int(burners))
    try:
        report["swapped"] = swap(names, links)
    except OSError as error:
        report["swapped"] = f"{type(error).__name__}: {error}"
    with open(f"{data}/rival.json", "w", encoding="utf-8") as file:
        json.dump(report, file)
    # until the switch, which ends what its Sess has left: by then the release has long been sealed
    end = time.monotonic() + ROUND
    while time.monotonic() < end:
        for descriptor in descriptors:
            os.pwrite(descriptor, b"VERSION = 'changed after the seal'\n", 0)
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
