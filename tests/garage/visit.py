"""Ask for URLs like a browser on this machine: *.localhost is 127.0.0.1, redirects are followed. Fail without a 200.

visit.py URL...
"""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urljoin, urlsplit

REDIRECTS = 5


def visit(url: str) -> str:
    """Return the last status, and the URLs on the way to it."""
    way = url
    for _redirect in range(REDIRECTS):
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
        try:
            connection.request("GET", parts.path or "/", headers={"Host": parts.netloc})
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status not in {301, 302, 303, 307, 308}:
            return f"{answer.status} {way}"
        url = urljoin(url, answer.headers["Location"])
        way += f" -> {url}"
    return f"too many redirects: {way}"


def main() -> int:
    """Ask for all URLs, and print each result."""
    ways = [visit(url) for url in sys.argv[1:]]
    print("\n".join(ways))
    return 0 if ways and all(way.startswith("200 ") for way in ways) else 1


if __name__ == "__main__":
    sys.exit(main())
