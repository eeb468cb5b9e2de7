# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program with the variables of a directory, a file each, as their bytes are.

backstage_env.py DIRECTORY PROGRAM ARGUMENT...: run by systemd as the player of a Sess. So no value is in a unit, and
the program has no other variables than the Sess's and those by which systemd hands over its door.
"""

from __future__ import annotations

import os
import sys

KEPT = (b"LISTEN_FDNAMES", b"LISTEN_FDS", b"LISTEN_PID", b"NOTIFY_SOCKET")
PATH = b"/usr/local/bin:/usr/bin:/bin"


def variables(directory: bytes) -> dict[bytes, bytes]:
    """The variables of a directory; a file ends with a newline of its own."""
    found = {}
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), "rb") as file:
            found[name] = file.read().removesuffix(b"\n")
    return found


def environment(directory: bytes) -> dict[bytes, bytes]:
    """The whole environment of the program."""
    handed_over = {name: os.environb[name] for name in KEPT if name in os.environb}
    return {b"PATH": PATH, **variables(directory), **handed_over}


if __name__ == "__main__":
    os.execve(sys.argv[2], sys.argv[2:], environment(os.fsencode(sys.argv[1])))
