# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program backstage-certificates: all certificates of a host that come from an authority.

A timer starts it, and every deploy starts it for its Venues. It renews what is due. Then it compares what nginx serves
with what is on disk, so that the next run repeats a reload that failed.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ..certificates import wishes
from ..certificates.authority import Authority
from ..certificates.due import ACME, BROKEN, OK
from ..certificates.pairs import Pairs
from ..certificates.renewal import Done, Renewal
from ..certificates.wishes import LOCK, Wish
from ..host import files, locks
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import HOST_LOCK
from . import nginx

_PATIENCE = 900
"""The seconds that a deploy waits for a run of the timer, and a run for a deploy that configures nginx."""
_END = "-----END CERTIFICATE-----\n"


@dataclass
class Renewals:
    """The certificates of a host that come from an authority.

    Args:
        host: the host's facts.
        now: the moment, in seconds since 1970.
        say: takes a line for the log.
        wished: what is wanted, by PRODUCTION.VENUE.
        silent: the authorities that did not answer, each with the reason.
    """

    host: Host
    now: float
    say: Callable[[str], None]
    wished: dict[str, Wish] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)

    def run(self, names: Sequence[str] = (), at_once: bool = False) -> bool:
        """Renew what is due, and have nginx serve it; return whether all is well.

        Args:
            names: the certificates to look at, as PRODUCTION.VENUE; all if empty.
            at_once: ask also where the last refusal is not long ago.
        """
        found = [name for name in wishes.names(self.host) if not names or name in names]
        results = [self._look(name, at_once) for name in found]
        return self._serve() and all(results)

    def _look(self, name: str, at_once: bool) -> bool:
        """Renew one certificate. A failure does not stop the renewal of others."""
        try:
            wish = Wish.of(files.read_json(os.path.join(self.host.wishes, f"{name}.json")))
            self.wished[name] = wish
            pairs = Pairs.of(self.host, wish.production, wish.venue)
            done = Renewal(wish, pairs, Authority(self.host, wish, self.silent), self.now).run(at_once)
        except (BackstageError, OSError, ValueError) as error:
            done = Done(False, {"state": BROKEN, "error": str(getattr(error, "message", error))})
            self._keep(name, done.state)
        if done.changed or done.state["state"] != OK:
            self.say(f"{name}: {said(done.state)}")
        return bool(done.state["state"] == OK)

    def _keep(self, name: str, state: dict[str, Any]) -> None:
        """Record a failure for `status`, beside what is known of earlier refusals."""
        if name in self.wished:
            pairs = Pairs.of(self.host, self.wished[name].production, self.wished[name].venue)
            with contextlib.suppress(OSError):  # what broke it may be the disk
                files.write(pairs.state_file, files.to_json({**pairs.state(), **state}), 0o600)

    def _serve(self) -> bool:
        """Have nginx serve the certificates on disk."""
        prepared = {name: wish for name, wish in self.wished.items() if self._is_ready(name, wish)}
        late = [name for name, wish in self.wished.items() if not wish.prepared and self._is_late(wish)]
        if not (prepared or late) or nginx.master() is None:
            return True  # nginx reads the files when it starts
        try:
            with locks.held(HOST_LOCK, "backstage-certificates", _PATIENCE), self._written(prepared.values()):
                nginx.check("its configuration with new certificates")
                nginx.reload()
        except (BackstageError, OSError) as error:
            waiting = ", ".join([*prepared, *late])
            self.say(f"{getattr(error, 'message', error)}; the next run tries again to have nginx serve {waiting}")
            return False
        still = [name for name in (*prepared, *late) if self._is_late(self.wished[name])]
        if still:
            self.say(
                f"nginx was reloaded, and serves other certificates for {', '.join(still)}: who else has the names?"
            )
        return not still

    def _is_ready(self, name: str, wish: Wish) -> bool:
        """Return whether a Venue that waited without TLS has its certificate now."""
        return bool(wish.prepared) and Pairs.of(self.host, wish.production, wish.venue).sealed().get("kind") == ACME

    def _is_late(self, wish: Wish) -> bool:
        """Return whether nginx serves another certificate than that on disk, or none."""
        pairs = Pairs.of(self.host, wish.production, wish.venue)
        leaf = (files.read(pairs.certificate) or "").partition(_END)[0] + _END
        try:
            return served(wish.venue, self.host.https_port) != ssl.PEM_cert_to_DER_cert(leaf)
        except (OSError, ValueError):
            return True

    @contextlib.contextmanager
    def _written(self, ready: Iterable[Wish]) -> Iterator[None]:
        """Give Venues that waited their files with TLS. Restore the earlier files if nginx refuses these."""
        ready = list(ready)
        texts = {path: text for wish in ready for path, text in wish.prepared.items()}
        before = {path: files.read(path) for path in texts}
        try:
            for path, text in texts.items():
                files.write(path, text)
            yield
        except (BackstageError, OSError):
            for path, old in before.items():
                files.write(path, old) if old is not None else files.remove(path)
            raise
        for wish in ready:
            wishes.write(self.host, wish.without_files())


def served(name: str, port: int) -> bytes:
    """Return the certificate that nginx of this host serves for a name.

    Raises:
        OSError: none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    with plain, context.wrap_socket(plain, server_hostname=name) as tls:
        return tls.getpeercert(True) or b""


def said(state: dict[str, object]) -> str:
    """Return a certificate's state as a line."""
    parts = [str(state["state"])]
    if state.get("error"):
        parts.append(f": {state['error']}")
    elif state.get("why"):
        parts.append(f" ({state['why']})")
    missing = state.get("missing")
    if isinstance(missing, dict) and missing:
        parts.append("; it lacks " + ", ".join(f"{name} ({why})" for name, why in missing.items()))
    return "".join(parts)


def main(argv: Sequence[str]) -> int:
    """Run the program ``backstage-certificates [--now] [PRODUCTION.VENUE...]``; return its exit code."""
    at_once, names = "--now" in argv, [word for word in argv if not word.startswith("-")]
    os.umask(0o022)

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.held(LOCK, "backstage-certificates", _PATIENCE if at_once else 0))
        except BackstageError as error:
            say(f"{error.message.partition(';')[0]}; the next run looks again")
            return 1 if at_once else 0
        return 0 if Renewals(Host.read(), time.time(), say).run(names, at_once) else 1
