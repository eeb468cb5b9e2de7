# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest takes: memory, processes, CPU; each within bounds that a host without limits survives, too."""

import os
import signal
import subprocess
import time

from django.http import HttpRequest, JsonResponse


def sit(_request: HttpRequest) -> JsonResponse:
    """Take nothing."""
    return JsonResponse({"pid": os.getpid(), "master": os.getppid()})


def eat(request: HttpRequest) -> JsonResponse:
    """Take memory, and use all of it."""
    taken = bytearray()
    for _megabyte in range(min(int(request.GET["megabytes"]), 1024)):
        taken += b"x" * (1 << 20)
    return JsonResponse({"megabytes": len(taken) >> 20})


def breed(request: HttpRequest) -> JsonResponse:
    """Start processes until there are so many, or until it is refused; they end with the answer."""
    born: list[int] = []
    refused = ""
    try:
        while len(born) < min(int(request.GET["processes"]), 1000):
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            born.append(pid)
    except OSError as error:
        refused = error.strerror or str(error)
    for pid in born:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return JsonResponse({"born": len(born), "refused": refused})


def burn(request: HttpRequest) -> JsonResponse:
    """Take a CPU for as long."""
    until = time.monotonic() + min(float(request.GET["seconds"]), 50)
    rounds = 0
    while time.monotonic() < until:
        rounds += 1
    return JsonResponse({"rounds": rounds})


def haunt(_request: HttpRequest) -> JsonResponse:
    """Leave a daemon behind."""
    done = subprocess.run(["sh", "-c", "sleep 600 >/dev/null 2>&1 &"], start_new_session=True, check=True)
    return JsonResponse({"code": done.returncode})
