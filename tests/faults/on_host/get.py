# SPDX-License-Identifier: GPL-3.0-or-later
"""get.py VENUE PATH: send one request to a Venue of this host, and print the answer as JSON."""

from __future__ import annotations

import http.client
import json
import sys


def get(venue: str, path: str) -> dict[str, object]:
    client = http.client.HTTPConnection("127.0.0.1", 80, timeout=60)
    try:
        client.request("GET", path, headers={"Host": venue, "Connection": "close"})
        answer = client.getresponse()
        return {"status": answer.status, "page": answer.read().decode("utf-8", "replace")}
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "page": f"{type(error).__name__}: {error}"}
    finally:
        client.close()


if __name__ == "__main__":
    print(json.dumps(get(*sys.argv[1:])))
