# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Venue's certificate and key on disk: versions of both, and a link to the one that nginx reads.

Of one Venue: `<certificates>/<production>.<venue>/{versions/<n>-<kind>/{privkey.pem,fullchain.pem,sealed}, live ->}`. A
version counts when it is sealed, and one rename puts it in the place of another: a killed run leaves nothing by half.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..host import files, process
from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest.nouns import Pair
from . import checks

SELFSIGNED = "selfsigned"
FILES = "files"
_DAYS = 3650
_DAY = 86400
_REQUEST = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_CONFIGURATION = """[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no
[subject]
CN = self-signed
[extensions]
subjectAltName = {names}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
"""


@dataclass(frozen=True)
class Pairs:
    """The certificates of one Venue, the one in use and those before it.

    Args:
        root: the directory of all of them.
    """

    root: str

    @classmethod
    def of(cls, host: Host, production: str, venue: str) -> Pairs:
        return cls(os.path.join(host.certificates, f"{production}.{venue}"))

    @property
    def live(self) -> str:
        return os.path.join(self.root, "live")

    @property
    def certificate(self) -> str:
        return os.path.join(self.live, "fullchain.pem")

    @property
    def key(self) -> str:
        return os.path.join(self.live, "privkey.pem")

    @property
    def _versions(self) -> str:
        return os.path.join(self.root, "versions")

    def selfsigned_fault(self, names: Sequence[str]) -> str:
        """Why a new self-signed certificate is needed; empty where the one in use will do."""
        sealed = self._sealed()
        fault = _unlike(sealed, SELFSIGNED, names)
        if not fault and sealed["until"] - time.time() < _DAYS * _DAY / 3:
            fault = "it ends soon"
        return fault or self._unloadable()

    def given_fault(self, pair: Pair, names: Sequence[str]) -> str:
        """Why this pair has to be installed; empty where it is the one in use."""
        sealed = self._sealed()
        fault = _unlike(sealed, FILES, names)
        if not fault and sealed["digest"] != _digest(pair):
            fault = "the manifest has another one"
        return fault or self._unloadable()

    def given(self) -> dict[str, str]:
        """The pair in use as the manifest gave it."""
        return {"certificate": files.read(self.certificate) or "", "key": files.read(self.key) or ""}

    def _sealed(self) -> dict[str, Any]:
        found: Any = files.read_json(os.path.join(self.live, "sealed"))
        return found if isinstance(found, dict) else {}

    def _unloadable(self) -> str:
        """Why nginx could not load the pair in use; empty where it could."""
        fault = checks.unloadable(self.certificate, self.key)
        return f"nginx can't load it: {fault}" if fault else ""

    def make_selfsigned(self, names: Sequence[str]) -> None:
        """Make a self-signed certificate, and have nginx find it at its next reload.

        Raises:
            BackstageError: openssl failed.
        """
        version = self._draft(SELFSIGNED)
        configuration = os.path.join(version, "request")
        text = _CONFIGURATION.format(names=", ".join(f"DNS:{name}" for name in names))
        files.draft(configuration, text, 0o600)
        key, certificate = os.path.join(version, "privkey.pem"), os.path.join(version, "fullchain.pem")
        result = process.run(
            [*_REQUEST, "-config", configuration, "-days", str(_DAYS), "-keyout", key, "-out", certificate]
        )
        if not result.ok:
            message = f"openssl made no self-signed certificate for {names[0]}: {result.said.strip()[-300:]}"
            raise BackstageError(message, step="certificate")
        files.remove(configuration)
        os.chmod(key, 0o600)
        self._use(version, {"kind": SELFSIGNED, "names": list(names), "until": int(time.time()) + _DAYS * _DAY})

    def install(self, pair: Pair, names: Sequence[str]) -> None:
        """Have nginx find this pair at its next reload; it has passed the checks."""
        version = self._draft(FILES)
        files.draft(os.path.join(version, "privkey.pem"), pair.key, 0o600, durable=True)
        files.draft(os.path.join(version, "fullchain.pem"), pair.certificate, 0o600, durable=True)
        about = checks.about(pair.certificate)
        seal = {"kind": FILES, "names": list(names), "digest": _digest(pair)}
        self._use(version, {**seal, "begins": about.begins, "ends": about.ends})

    def end(self) -> str:
        """When the pair of the manifest ends, if a third of its time or less is left; else empty."""
        sealed = self._sealed()
        if sealed.get("kind") != FILES or sealed["ends"] - time.time() > (sealed["ends"] - sealed["begins"]) / 3:
            return ""
        return checks.day(sealed["ends"])

    def _draft(self, kind: str) -> str:
        """Make the directory of a new version, which does not count before it is sealed."""
        for path in (os.path.dirname(self.root), self.root, self._versions):
            files.directory(path, 0o700)
        version = os.path.join(self._versions, f"{self._next()}-{kind}")
        files.directory(version, 0o700)
        return version

    def _next(self) -> int:
        numbers = [name.partition("-")[0] for name in files.names_in(self._versions)]
        return max((int(number) for number in numbers if number.isdigit()), default=0) + 1

    def _use(self, version: str, seal: dict[str, Any]) -> None:
        """Seal a version, put it in the place of the one in use, and remove all but these two."""
        files.write(os.path.join(version, "sealed"), files.to_json(seal), 0o600)
        before = files.link_target(self.live)
        files.link(self.live, os.path.relpath(version, self.root))
        keep = {os.path.basename(version), os.path.basename(before or "")}
        for name in files.names_in(self._versions):
            if name not in keep:
                files.remove_tree(os.path.join(self._versions, name))


def _unlike(sealed: dict[str, Any], kind: str, names: Sequence[str]) -> str:
    """Why the pair in use is not one of this kind for these names."""
    if not sealed:
        return "there is none"
    if sealed.get("kind") != kind:
        return f"the one in use is {sealed.get('kind')}"
    return "" if sealed.get("names") == list(names) else "it is for other names"


def _digest(pair: Pair) -> str:
    return hashlib.sha256(f"{pair.certificate}\0{pair.key}".encode()).hexdigest()


def sweep(host: Host, production: str, keep: set[str]) -> None:
    """Remove the certificates and keys of a Production's Venues that have no TLS any more.

    Args:
        host: the host's facts.
        production: its name.
        keep: the Venues that have.
    """
    for name in files.names_in(host.certificates):
        if name.startswith(production + ".") and name.partition(".")[2] not in keep:
            files.remove_tree(os.path.join(host.certificates, name))
