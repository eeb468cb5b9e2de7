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
"""If another run writes at this moment, PowerDNS answers 500: its database is locked. Then nothing was written."""
_CURES = {
    401: "the API key is not this server's",
    403: "its webserver-allow-from does not allow this address",
    404: "it has no such zone, or no API (api=yes)",
    422: "PowerDNS does not take it",
}


class Api:
    """The API of one server.

    Args:
        url: its URL.
        key: its key.
        timeout: the seconds that an answer may take.
    """

    def __init__(self, url: str, key: str, timeout: int) -> None:
        self._url, self._key, self._timeout = url, key, timeout

    def zone(self, name: str) -> Optional[Data]:
        """Return a zone with its records, or None if the server has no such zone."""
        found = self._call("GET", f"/zones/{name}", absent=True)
        if found is not None and not {"name", "kind", "serial", "rrsets"} <= found.keys():
            raise self._stranger()
        return found

    def create(self, zone: Data) -> None:
        self._call("POST", "/zones?rrsets=false", zone)

    def change(self, name: str, rrsets: list[Data]) -> None:
        """Write all of these records, or none of them."""
        self._call("PATCH", f"/zones/{name}", {"rrsets": rrsets})

    def sign(self, name: str) -> None:
        self._call("PUT", f"/zones/{name}", {"dnssec": True, "api_rectify": True})

    def copy_from(self, name: str, primaries: list[str]) -> None:
        """Have the server copy a zone from other servers, now and from now on."""
        self._call("PUT", f"/zones/{name}", {"kind": "Slave", "masters": primaries})
        self._call("PUT", f"/zones/{name}/axfr-retrieve")

    def notify(self, name: str) -> None:
        """Notify the secondaries at once. By itself the server does so within a minute."""
        self._call("PUT", f"/zones/{name}/notify")

    def zones(self) -> list[str]:
        """Return the names of all zones of the server."""
        return [str(zone["name"]) for zone in self._list("/zones?dnssec=false")]

    def metadata(self, zone: str) -> dict[str, list[str]]:
        """Return the metadata of a zone by their kind."""
        return {one["kind"]: list(one["metadata"]) for one in self._list(f"/zones/{zone}/metadata")}

    def write_metadata(self, zone: str, kind: str, values: list[str]) -> None:
        self._call("PUT", f"/zones/{zone}/metadata/{kind}", {"kind": kind, "metadata": values})

    def secret(self, key: str) -> Optional[str]:
        """Return the secret of a TSIG key, or None if the server has no such key."""
        found = self._call("GET", f"/tsigkeys/{key}.", absent=True)
        return None if found is None else str(found.get("key"))

    def write_key(self, name: str, algorithm: str, secret: str, exists: bool) -> None:
        data = {"name": name, "algorithm": algorithm, "key": secret}
        self._call(*(("PUT", f"/tsigkeys/{name}.") if exists else ("POST", "/tsigkeys")), data)

    def remove_key(self, name: str) -> None:
        self._call("DELETE", f"/tsigkeys/{name}.", absent=True)

    def forget(self, name: str) -> None:
        """Flush the cache of a zone. Otherwise the server answers the first serial of a new zone for a while."""
        self._call("PUT", f"/cache/flush?domain={name}")

    def _list(self, path: str) -> list[Data]:
        found = self._any("GET", path)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._stranger()
        return found

    def _call(self, method: str, path: str, data: Optional[Data] = None, absent: bool = False) -> Optional[Data]:
        found = self._any(method, path, data, absent)
        if found is not None and not isinstance(found, dict):
            raise self._stranger()
        return found

    def _any(self, method: str, path: str, data: Optional[Data] = None, absent: bool = False) -> Any:
        """Return the answer, or None if it is 404 and that may be."""
        for tried in range(1, _TRIES + 1):
            is_last = tried == _TRIES
            try:
                text = self._ask(method, path, data)
            except HTTPError as error:
                if error.code == 404 and absent:
                    return None
                if error.code not in _REPEATED or method == "POST" or is_last:
                    raise self._refused(method, path, error) from None
            except (URLError, OSError, HTTPException) as error:
                if method != "GET" or is_last:
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

    def _read(self, text: bytes) -> Any:
        try:
            found = json.loads(text) if text.strip() else {}
        except ValueError:
            raise self._stranger() from None
        if len(text) > _LARGEST:
            raise self._stranger()
        return found

    def _refused(self, method: str, path: str, error: HTTPError) -> BackstageError:
        """Return the error with what PowerDNS says about it."""
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
    """A server without zones, for check mode on a host where PowerDNS is not installed yet."""

    def __init__(self) -> None:
        super().__init__("", "", 0)

    def zone(self, name: str) -> Optional[Data]:
        return None

    def secret(self, key: str) -> Optional[str]:
        return None
