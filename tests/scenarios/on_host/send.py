# SPDX-License-Identifier: GPL-3.0-or-later
"""send.py VENUE FIRST: sends a job into each queue of the Act jobs, again and again, until standard input ends.

Prints the last one, and every request that failed. Most jobs are short; some take longer than a switch waits for them.
"""

from __future__ import annotations

import http.client
import json
import select
import sys

PAUSE = 1.0
FEWEST = 6  # also if standard input ends before
SHORT, LONG = 0.2, 2.5
EACH = 8  # every eighth is a long one


def send(venue: str, job: int) -> str:
    """Send one job; return what was wrong."""
    client = http.client.HTTPConnection("127.0.0.1", 80, timeout=60)
    try:
        path = f"/send/?job={job}&seconds={SHORT if job % EACH else LONG}"
        client.request("GET", path, headers={"Host": venue, "Connection": "close"})
        answer = client.getresponse()
        answer.read()
        return "" if answer.status == 200 else str(answer.status)
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        client.close()


def main(venue: str, first: str) -> None:
    job, failed = int(first), {}
    print("open", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE)[0] or job - int(first) < FEWEST:
        if wrong := send(venue, job):
            failed[job] = wrong
        job += 1
    print(json.dumps({"last": job - 1, "failed": failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
