# SPDX-License-Identifier: GPL-3.0-or-later
"""What a build runs to help its rival: a wide open directory of static files, and a descriptor of its code."""

import array
import os
import socket

where = os.path.join(os.environ["BACKSTAGE_STATIC_ROOT"], "race")
os.makedirs(where)
for number in range(8000):
    with open(f"{where}/f{number:05}", "w", encoding="utf-8"):
        pass
for directory in (os.environ["BACKSTAGE_STATIC_ROOT"], where, "."):
    os.chmod(directory, 0o777)  # noqa: S103 -- that is the attack
with open("passed.py", "w", encoding="utf-8") as file:
    file.write("VERSION = 'built'\n")
descriptor = os.open("passed.py", os.O_RDWR)
with socket.socket(socket.AF_UNIX) as rival:
    rival.settimeout(60)
    rival.connect("\0backstage-rival")
    rival.sendmsg([where.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
    rival.recv(2)
