# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a certificate authority; backstage-certificates starts it as the user acme.

    python3 -I backstage_acme.py DESCRIPTOR <QUESTION

QUESTION is JSON: ``ask`` (certificate or window), ``directory``, ``ca``, ``contact``, ``profile``, ``challenge``,
``account`` and ``tsig`` (paths of keys), for a certificate also ``csr``, ``names`` and ``replaces``, and for a window
``chain``. The answer is written to DESCRIPTOR: ``{"answer": ...}``, or ``{"refused": why, "names": {name: why}, "wait":
seconds, "silent": whether the authority can't be asked for anything now}``.

It never sees the key of a certificate, and may write no file. The protocol is that of python3-acme.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import josepy as jose
import requests
from acme import challenges, client, errors, messages
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PATIENCE = 120
"""Seconds for the authority to look at all challenges, and as many to make the certificate."""
FIRST_LOOK = 0.3
"""Seconds after which a quick authority has looked."""
FORGOTTEN = 2
"""Seconds after which no name server gives an earlier answer any more: the records say one."""
NONCES = 10
"""How often a request is repeated because its nonce was refused."""
MOST_APART = 3600
"""Seconds between the clocks of host and authority, above which nothing is asked."""
MOST_WAIT = 47 * 3600
SENSELESS = (ValueError, KeyError, TypeError)
"""What an answer leads to that is none of the protocol."""
DAY = 86400


class Refused(Exception):
    """There is no certificate, and why."""

    def __init__(self, why: str, names: dict[str, str] | None = None, wait: float = 0) -> None:
        super().__init__(why)
        self.names, self.wait, self.silent = names or {}, wait, False


class NewOrder(messages.NewOrder):
    """An order with what python3-acme leaves out: in 2.1 the profile, in all versions the certificate it replaces."""

    profile: str = jose.field("profile", omitempty=True)
    replaces: str = jose.field("replaces", omitempty=True)


class Network(client.ClientNetwork):
    """The requests. A refused nonce is asked for again, and what the authority says of the next try is kept."""

    waits: list[float] = []  # noqa: RUF012 -- one network a process, and python3-acme calls a class method

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        for _try in range(NONCES - 1):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return self._post_once(*args, **kwargs)

    @classmethod
    def _check_response(cls, response: requests.Response, content_type: str | None = None) -> requests.Response:
        if not response.ok:
            cls.waits.append(wait_of(response.headers))
        return super()._check_response(response, content_type)


def wait_of(headers: Any) -> float:
    """Seconds after which the authority wants to be asked again; 0 where it says nothing."""
    said = headers.get("Retry-After", "")
    with contextlib.suppress(ValueError):
        seconds = float(said) if said.isdigit() else parsedate_to_datetime(said).timestamp() - time.time()
        return min(max(seconds, 0), MOST_WAIT)
    return 0


def shown(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))


class Authority:
    """A certificate authority, and the account there.

    Args:
        question: what was asked of this program.
        trusted: the file of the authorities that vouch for its server; True for those of the system.
    """

    def __init__(self, question: dict[str, Any], trusted: str | bool) -> None:
        self.question = question
        with open(question["account"], "rb") as file:
            self.key = jose.JWKEC(key=jose.ComparableECKey(load_pem_private_key(file.read(), None)))
        self.network = Network(self.key, alg=jose.ES256, verify_ssl=trusted, user_agent="backstage.django", timeout=30)
        found = self.network.get(question["directory"])
        apart(found.headers.get("Date"))
        self.more = found.json()
        self.client = client.ClientV2(messages.Directory.from_json(found.json()), self.network)

    def window(self) -> dict[str, float]:
        """When to renew a certificate, as the authority suggests (RFC 9773)."""
        url = self.more.get("renewalInfo")
        name = identifier(self.question["chain"])
        if not url or not name:
            return {"again": DAY}
        found = self.network.get(f"{url.rstrip('/')}/{name}")
        window = found.json()["suggestedWindow"]
        start, end = (
            dt.datetime.fromisoformat(window[key].replace("Z", "+00:00")).timestamp() for key in ("start", "end")
        )
        return {"start": start, "end": end, "again": min(max(wait_of(found.headers), 60), DAY)}

    def certificate(self) -> str:
        """A certificate for all names, as PEM text with its chain."""
        self._enter()
        order = self._order()
        with self._proven(self._pending(order)) as proofs:
            for proof in proofs:
                self.client.answer_challenge(proof, proof.response(self.key))
            time.sleep(FIRST_LOOK)
            self.client.poll_authorizations(order, dt.datetime.now() + dt.timedelta(seconds=PATIENCE))
        done = self.client.finalize_order(order, dt.datetime.now() + dt.timedelta(seconds=PATIENCE))
        return str(done.fullchain_pem)

    def _enter(self) -> None:
        """Have an account: a key that the authority does not know, or knows no more, is registered."""
        contact = ("mailto:" + self.question["contact"],) if self.question["contact"] else ()
        new = messages.NewRegistration(contact=contact, terms_of_service_agreed=True)
        try:
            self.client.new_account(new)
        except errors.ConflictError as known:
            account = messages.RegistrationResource(body=messages.Registration(), uri=known.location)
            self.network.account = account
            self.client._post(known.location, messages.UpdateRegistration(contact=contact))

    def _order(self) -> messages.OrderResource:
        more = {"profile": self.question["profile"]} if self.question["profile"] else {}
        replaced = identifier(self.question["replaces"]) if "renewalInfo" in self.more else ""
        try:
            return self._ordered(**more, **({"replaces": replaced} if replaced else {}))
        except messages.Error as error:
            # the certificate was replaced already, or is another authority's
            if not replaced or str(error.typ).endswith((":rateLimited", ":rejectedIdentifier")):
                raise
            return self._ordered(**more)
        except errors.ConflictError:
            return self._ordered(**more)

    def _ordered(self, **more: str) -> messages.OrderResource:
        names = tuple(messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name) for name in self.question["names"])
        made = self.client._post(self.client.directory["newOrder"], NewOrder(identifiers=names, **more))
        body = messages.Order.from_json(made.json())
        proofs = [
            self.client._authzr_from_response(self.client._post_as_get(url), uri=url) for url in body.authorizations
        ]
        csr = self.question["csr"].encode()
        return messages.OrderResource(body=body, uri=made.headers.get("Location"), authorizations=proofs, csr_pem=csr)

    def _pending(self, order: messages.OrderResource) -> dict[str, messages.ChallengeBody]:
        """The challenge of every name that the authority does not know to be this host's yet."""
        found, kind = {}, self.question["challenge"]
        for proof in order.authorizations:
            name = proof.body.identifier.value
            offered = [one for one in proof.body.challenges if one.chall.typ == kind]
            if not offered:
                raise Refused(f"{name}: the authority offers no {kind}", {name: f"the authority offers no {kind}"})
            if proof.body.status != messages.STATUS_VALID:
                found[name] = offered[0]
        return found

    @contextlib.contextmanager
    def _proven(self, pending: dict[str, messages.ChallengeBody]) -> Iterator[list[messages.ChallengeBody]]:
        """Have the proofs in place that nginx does not give by itself: all of them before the first is looked at."""
        written: list[tuple[str, str]] = []
        try:
            for name, challenge in pending.items():
                if isinstance(challenge.chall, challenges.DNS01):
                    record = place_of(name), challenge.chall.validation(self.key)
                    written.append(record)
                    update(self.question["tsig"], name, "add {} 1 TXT {}", *record)
            if written:  # another host of these names may have been asked a moment ago
                time.sleep(FORGOTTEN)
            yield list(pending.values())
        finally:
            for record in written:
                with contextlib.suppress(Refused):  # what stays there proves nothing any more
                    update(self.question["tsig"], record[0], "delete {} TXT {}", *record)


def place_of(name: str) -> str:
    """Where the proof of a name is written: its own place, or the one to which a CNAME leads from there."""
    own = f"_acme-challenge.{name}."
    found = subprocess.run(
        ["dig", "+short", "+time=5", "+tries=2", own, "CNAME"], capture_output=True, text=True, check=False
    ).stdout.split()
    return found[0] if found and found[0].endswith(".") else own


def update(key: str, name: str, what: str, place: str, value: str) -> None:
    """Change a record at the name server of its zone, which nsupdate finds by itself."""
    text = f"update {what.format(place, value)}\nsend\n"
    done = subprocess.run(["nsupdate", "-t", "30", "-k", key], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        why = " ".join(done.stderr.split())[-200:] or f"nsupdate ended with status {done.returncode}"
        raise Refused(f"{name}: its challenge can't be written at {place}: {why}", {name: why})


def identifier(chain: str) -> str:
    """What the authority calls a certificate (RFC 9773, 4.1); empty where it has no name for it."""
    if not chain:
        return ""
    leaf = x509.load_pem_x509_certificate(chain.encode())
    try:
        issuer = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return ""
    serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1, "big")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (issuer or b"", serial))


def apart(date: str | None) -> None:
    """Refuse to go on by a wrong clock."""
    if date:
        hours = (time.time() - parsedate_to_datetime(date).timestamp()) / 3600
        if abs(hours) * 3600 > MOST_APART:
            says = f"this host's clock says {shown(time.time())}, {hours:+.1f} h off that of the authority"
            raise Refused(f"{says}: set the clock; nothing was asked")


def asked(question: dict[str, Any], trusted: str | bool) -> Any:
    """Ask, and turn whatever goes wrong into one sentence."""
    is_known = False
    try:
        authority = Authority(question, trusted)
        is_known = True
        return authority.window() if question["ask"] == "window" else authority.certificate()
    except errors.ValidationError as error:
        names = dict(map(failed, error.failed_authzrs))
        raise Refused("; ".join(f"{name}: {why}" for name, why in names.items()), names) from None
    except messages.Error as error:
        parts = error.subproblems or ()
        names = {part.identifier.value: said(part) for part in parts if part.identifier}
        why = "; ".join(f"{name}: {why}" for name, why in names.items()) or said(error)
        raise Refused(f"the authority refuses: {why}", names, max(Network.waits, default=0)) from None
    except errors.TimeoutError:
        raise Refused(f"the authority has not finished within {PATIENCE} s") from None
    except errors.IssuanceError as error:
        raise Refused(f"the authority made no certificate: {said(error.error)}") from None
    except (*SENSELESS, requests.exceptions.RequestException, errors.Error, jose.DeserializationError) as error:
        refused = Refused(f"the authority does not answer at {question['directory']}: {reason(error)}")
        refused.silent = not is_known
        raise refused from None


def said(error: messages.Error) -> str:
    return " ".join(str(part) for part in (error.code or error.typ, error.detail) if part)


def failed(proof: messages.AuthorizationResource) -> tuple[str, str]:
    """A name that was not proven, and why."""
    errors_ = [one.error for one in proof.body.challenges if one.error is not None]
    star = "*." if getattr(proof.body, "wildcard", False) else ""
    return star + proof.body.identifier.value, said(errors_[0]) if errors_ else "it was not proven"


def reason(error: Exception) -> str:
    """The innermost words of an error of requests, which wraps others."""
    text = str(error) or type(error).__name__
    while error.__context__ is not None or error.__cause__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    text = str(error) if isinstance(error, OSError) and str(error) else text
    if "expired" in text or "not yet valid" in text:
        text += f"; this host's clock says {shown(time.time())}"
    return text[:300]


@contextlib.contextmanager
def trust(ca: str) -> Iterator[str | bool]:
    """The authorities to trust, as a file that only this process has; True for the system's."""
    if not ca:
        yield True
        return
    descriptor = os.memfd_create("ca")
    with os.fdopen(descriptor, "w") as file:
        file.write(ca)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


def main() -> None:
    question = json.load(sys.stdin)
    try:
        with trust(question["ca"]) as trusted:
            answer: dict[str, Any] = {"answer": asked(question, trusted)}
    except (Refused, OSError) as error:
        more = {"names": {}, "wait": 0, "silent": False}
        answer = {"refused": str(error), **{key: getattr(error, key, more[key]) for key in more}}
    with os.fdopen(int(sys.argv[1]), "w") as out:
        json.dump(answer, out)


if __name__ == "__main__":
    main()
