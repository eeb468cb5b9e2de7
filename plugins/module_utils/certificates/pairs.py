# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Venue's certificate and key on disk: versions of both, and a link to the one that nginx reads.

Of one Venue: `<certificates>/<production>.<venue>/{versions/<n>-<kind>/{privkey.pem,fullchain.pem,sealed}, live ->}`. A
version counts when it is sealed, and one rename puts it in the place of another: a killed run leaves nothing by half.
Of certificates from an authority there is also ``state.json``: what happened when it was asked.
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
from .due import ACME

SELFSIGNED = "selfsigned"
FILES = "files"
_DAYS = 3650
_DAY = 86400
_ROOM = 2**20
_STATE = "state.json"
_KEY = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")
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

    @property
    def state_file(self) -> str:
        return os.path.join(self.root, _STATE)

    def selfsigned_fault(self, names: Sequence[str]) -> str:
        """Why a new self-signed certificate is needed; empty where the one in use will do."""
        sealed = self.sealed()
        fault = _unlike(sealed, SELFSIGNED, names)
        if not fault and sealed["until"] - time.time() < _DAYS * _DAY / 3:
            fault = "it ends soon"
        return fault or self.unloadable()

    def given_fault(self, pair: Pair, names: Sequence[str]) -> str:
        """Why this pair has to be installed; empty where it is the one in use."""
        sealed = self.sealed()
        fault = _unlike(sealed, FILES, names)
        if not fault and sealed["digest"] != _digest(pair):
            fault = "the manifest has another one"
        return fault or self.unloadable()

    def given(self) -> dict[str, str]:
        """The pair in use as the manifest gave it."""
        return {"certificate": files.read(self.certificate) or "", "key": files.read(self.key) or ""}

    def sealed(self, version: str = "") -> dict[str, Any]:
        """What a version says of itself, or the pair in use; nothing where it was not finished."""
        place = os.path.join(self._versions, version) if version else self.live
        found: Any = files.read_json(os.path.join(place, "sealed"))
        return found if isinstance(found, dict) else {}

    def state(self) -> dict[str, Any]:
        """What happened when an authority was asked."""
        found: Any = files.read_json(self.state_file)
        return found if isinstance(found, dict) else {}

    def unloadable(self) -> str:
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

    def draft(self) -> str:
        """Make the place of a certificate that an authority will be asked for; return its path.

        Raises:
            BackstageError: the disk is full, which is found before the authority is asked.
        """
        version = self._draft(ACME)
        files.need_room(version, _ROOM, "a certificate")
        return version

    @staticmethod
    def request(version: str, names: Sequence[str]) -> str:
        """The request for a certificate, signed with the key of a draft, which is made by the first one.

        Raises:
            BackstageError: openssl failed.
        """
        key = os.path.join(version, "privkey.pem")
        if not os.path.exists(key):
            files.draft(key, _openssl(list(_KEY)), 0o600, durable=True)
        alternative = "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)
        return _openssl(["openssl", "req", "-new", "-key", key, "-subj", "/", "-addext", alternative])

    def finish(self, version: str, chain: str, seal: dict[str, Any]) -> None:
        """Put a certificate of an authority, which has passed the checks, in the place of the one in use."""
        files.draft(os.path.join(version, "fullchain.pem"), chain, 0o600, durable=True)
        about = checks.about(chain)
        self._use(version, {"kind": ACME, **seal, "begins": about.begins, "ends": about.ends})

    def adopt(self, names: Sequence[str]) -> bool:
        """Use a certificate of an authority that a killed run had finished; return whether there was one."""
        newest = self._number(os.path.basename(files.link_target(self.live) or ""))
        for name in sorted(files.names_in(self._versions), key=self._number, reverse=True):
            sealed = self.sealed(name)
            if self._number(name) > newest and sealed.get("kind") == ACME:
                wanted = [one for one in names if one not in sealed["missing"]]
                if not checks.fault(self._pair(os.path.join(self._versions, name)), wanted):
                    self._link(name)
                    return True
        return False

    @staticmethod
    def _pair(place: str) -> Pair:
        texts = (files.read(os.path.join(place, name)) or "" for name in ("fullchain.pem", "privkey.pem"))
        return Pair(*texts)

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
        sealed = self.sealed()
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

    @staticmethod
    def _number(version: str) -> int:
        number = version.partition("-")[0]
        return int(number) if number.isdigit() else 0

    def _next(self) -> int:
        return max(map(self._number, files.names_in(self._versions)), default=0) + 1

    def _use(self, version: str, seal: dict[str, Any]) -> None:
        """Seal a version, and put it in the place of the one in use."""
        files.write(os.path.join(version, "sealed"), files.to_json(seal), 0o600)
        self._link(os.path.basename(version))
        if seal["kind"] != ACME:
            files.remove(self.state_file)

    def _link(self, version: str) -> None:
        before = os.path.basename(files.link_target(self.live) or "")
        files.link(self.live, os.path.join("versions", version))
        self.sweep(before)

    def sweep(self, before: str = "") -> None:
        """Remove all versions but the one in use and the one before it, which nginx may still read."""
        live = os.path.basename(files.link_target(self.live) or "")
        found = files.names_in(self._versions)
        older = [name for name in found if self._number(name) < self._number(live) and self.sealed(name)]
        keep = {live, before or max(older, key=self._number, default="")}
        for name in set(found) - keep:
            files.remove_tree(os.path.join(self._versions, name))


def _unlike(sealed: dict[str, Any], kind: str, names: Sequence[str]) -> str:
    """Why the pair in use is not one of this kind for these names."""
    if not sealed:
        return "there is none"
    if sealed.get("kind") != kind:
        return f"the one in use is {sealed.get('kind')}"
    return "" if sealed.get("names") == list(names) else "it is for other names"


def _openssl(argv: list[str]) -> str:
    result = process.run(argv)
    if not result.ok:
        raise BackstageError(f"{' '.join(argv[:2])} failed: {result.said.strip()[-300:]}", step="certificate")
    return result.out


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
