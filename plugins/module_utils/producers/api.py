# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP API of PowerDNS."""

from __future__ import annotations

import json
import time
from http.client import HTTPException
from typing import Any, Optional
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import open_url

from ..host.errors import BackstageError

Data = dict[str, Any]
_SERVER = "/api/v1/servers/localhost"
_TRIES, _PAUSE = 3, 1.0
_LARGEST = 64 << 20
_REPEATED = (500, 502, 503)
_CURES = {
    401: "the API key is not this server's",
    403: "its webserver-allow-from does not allow this address",
    404: "it has no such zone, or no API (api=yes)",
    422: "PowerDNS does not take it",
}


class Api:
    """One server's API.

    Args:
        url: where it is.
        key: what it wants to be told.
        timeout: how many seconds an answer may take.
    """

    def __init__(self, url: str, key: str, timeout: int) -> None:
        self._url, self._key, self._timeout = url, key, timeout

    def zone(self, name: str) -> Optional[Data]:
        """A zone with its records; None where the server has none of that name."""
        found = self._call("GET", f"/zones/{name}", absent=True)
        if found is not None and not {"name", "kind", "serial", "rrsets"} <= found.keys():
            raise self._stranger()
        return found

    def create(self, zone: Data) -> None:
        self._call("POST", "/zones?rrsets=false", zone)

    def change(self, name: str, rrsets: list[Data]) -> None:
        """All of these, or none of them."""
        self._call("PATCH", f"/zones/{name}", {"rrsets": rrsets})

    def sign(self, name: str) -> None:
        self._call("PUT", f"/zones/{name}", {"dnssec": True, "api_rectify": True})

    def copy_from(self, name: str, primaries: list[str]) -> None:
        """Have it come from other servers from now on, and come now."""
        self._call("PUT", f"/zones/{name}", {"kind": "Slave", "masters": primaries})
        self._call("PUT", f"/zones/{name}/axfr-retrieve")

    def notify(self, name: str) -> None:
        """Tell the secondaries now. By itself the server does so within a minute."""
        self._call("PUT", f"/zones/{name}/notify")

    def forget(self, name: str) -> None:
        """Answer from the database at once: a new zone is answered with its first serial for a while otherwise."""
        self._call("PUT", f"/cache/flush?domain={name}")

    def _call(self, method: str, path: str, data: Optional[Data] = None, absent: bool = False) -> Optional[Data]:
        for tried in range(1, _TRIES + 1):
            again = method == "GET" and tried < _TRIES
            try:
                text = self._ask(method, path, data)
            except HTTPError as error:
                if error.code == 404 and absent:
                    return None
                if error.code not in _REPEATED or not again:
                    raise self._refused(method, path, error) from None
            except (URLError, OSError, HTTPException) as error:
                if not again:
                    raise self._silent(error) from None
            else:
                return self._read(text)
            time.sleep(_PAUSE)
        raise AssertionError("the last try returns or raises")

    def _ask(self, method: str, path: str, data: Optional[Data]) -> bytes:
        answer = open_url(
            self._url + _SERVER + path,
            method=method,
            data=None if data is None else json.dumps(data),
            headers={"X-API-Key": self._key, "Content-Type": "application/json"},
            timeout=self._timeout,
            use_proxy=False,
            follow_redirects="none",
        )
        text: bytes = answer.read(_LARGEST + 1)
        return text

    def _read(self, text: bytes) -> Data:
        try:
            found = json.loads(text) if text.strip() else {}
        except ValueError:
            raise self._stranger() from None
        if len(text) > _LARGEST or not isinstance(found, dict):
            raise self._stranger()
        return found

    def _refused(self, method: str, path: str, error: HTTPError) -> BackstageError:
        """What it says of it itself, where it says something."""
        said = error.read(_LARGEST).decode("utf-8", "replace").strip()
        try:
            said = str(json.loads(said)["error"])
        except (ValueError, KeyError, TypeError):
            said = said.partition("\n")[0]
        why = ": ".join(filter(None, (_CURES.get(error.code, ""), said[:300])))
        return BackstageError(f"DNS: PowerDNS at {self._url} answers {method} {path} with {error.code}: {why}")

    def _silent(self, error: Exception) -> BackstageError:
        reason = getattr(error, "reason", None) or error
        cure = "start it, or correct the URL of the API"
        return BackstageError(f"DNS: PowerDNS does not answer at {self._url} ({reason}): {cure}")

    def _stranger(self) -> BackstageError:
        return BackstageError(f"DNS: what answers at {self._url} is not PowerDNS: correct the URL of the API")


class NoServer(Api):
    """What check mode compares with where PowerDNS is not installed yet: it has no zones."""

    def __init__(self) -> None:
        super().__init__("", "", 0)

    def zone(self, name: str) -> Optional[Data]:
        return None
