# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates from a real authority, asked by python3-acme as another user; a real nginx answers its challenges.

FAULTS 70, 71, 76 and 77 as far as the authority is concerned.
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx
from ansible_collections.backstage.django.plugins.module_utils.certificates import account, authority, checks
from ansible_collections.backstage.django.plugins.module_utils.certificates.authority import Authority, Refused
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.certificates.wishes import Wish
from ansible_collections.backstage.django.plugins.module_utils.host import process

from ... import certs, pebbles
from ...house import House
from ...pebbles import Pebble
from ...powerdns import PowerDns
from ...servers import Nginx, free_port

ROLE = Path(__file__).parents[5] / "roles/front_of_house/files"
NAMES = ("a.example", "www.a.example")


@pytest.fixture(scope="module")
def python() -> Iterator[str]:
    with pebbles.libraries() as found:
        yield found


@pytest.fixture
def asking(open_house: House, python: str, monkeypatch: pytest.MonkeyPatch) -> House:
    """A host whose nginx answers challenges, with the program that asks."""
    monkeypatch.setattr(account, "USER", "daemon")
    monkeypatch.setattr(authority, "PYTHON", (python,))
    Path(open_house.host.house).mkdir()
    shutil.copy(ROLE / authority.PROGRAM, open_house.host.house)
    account.ensure(open_house.host, "jazz", "")
    listen = f"listen {open_house.host.http_port};"
    include = f"include {account.challenge(open_house.host, 'jazz')};"
    Path(open_house.host.venues, "jazz.a.example.conf").write_text(
        f"server {{ {listen} server_name {' '.join(NAMES)}; {include} location / {{ return 301 https://$host; }} }}\n"
    )
    nginx.reload()
    return open_house


@pytest.fixture
def pebble(asking: House, running_pebble: Pebble) -> Pebble:
    running_pebble.begin()
    return running_pebble


def wish(directory: str, ca: str = "", **more: Any) -> Wish:
    return Wish("jazz", NAMES, directory, ca=ca, **more)


def ask(house: House, wanted: Wish, names: tuple[str, ...] = NAMES, replaces: str = "") -> tuple[str, str]:
    """A certificate, and its key."""
    version = Pairs.of(house.host, "jazz", f"x{time.monotonic_ns()}").draft()
    csr = Pairs.request(version, names)
    return Authority(house.host, wanted).certificate(csr, names, replaces), Path(version, "privkey.pem").read_text()


def why(act: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value


def test_a_certificate(asking: House, pebble: Pebble) -> None:
    wanted = wish(pebble.directory, pebble.ca, contact="ada@example.com")
    chain, key = ask(asking, wanted)
    assert chain.count("BEGIN CERTIFICATE") > 1, "with its chain"
    assert checks.fault(certs.Pair(chain, key), NAMES) == ""
    again, _key = ask(asking, wanted, replaces=chain)
    assert again != chain, "the account is known now"
    pebble.stop()
    pebble.start(PEBBLE_WFE_NONCEREJECT="30")
    assert ask(asking, wanted)[0].startswith("-----BEGIN"), "FAULTS 77: the authority forgot the account"


def test_names_that_are_not_proven(asking: House, pebble: Pebble) -> None:
    """FAULTS 76: which ones, and why; the others are worth another try."""
    names = (*NAMES, "dead.example")
    with pebble.dead("dead.example"):
        refused = why(lambda: ask(asking, wish(pebble.directory, pebble.ca), names))
    assert list(refused.names) == ["dead.example"]
    assert refused.message.startswith("dead.example: ")
    _status, _headers, body = Nginx("", asking.root, asking.host.http_port).get(
        "a.example", "/.well-known/acme-challenge/x"
    )
    assert "301" in body, "what is no token is no challenge"
    Path(account.challenge(asking.host, "jazz")).write_text("")
    nginx.reload()
    pebble.forget()
    assert set(why(lambda: ask(asking, wish(pebble.directory, pebble.ca))).names) == set(NAMES)


def test_an_authority_that_is_not_trusted(asking: House, pebble: Pebble) -> None:
    said = why(lambda: ask(asking, wish(pebble.directory))).message
    assert said.startswith(f"the authority does not answer at {pebble.directory}: ")
    assert "certificate verify failed" in said


def test_no_authority(asking: House) -> None:
    """FAULTS 70, 71."""
    port = free_port()
    said = why(lambda: ask(asking, wish(f"https://127.0.0.1:{port}/dir"))).message
    assert said == f"the authority does not answer at https://127.0.0.1:{port}/dir: [Errno 111] Connection refused"


def test_an_authority_that_does_not_answer_is_asked_once_a_run(asking: House) -> None:
    """A host may have a hundred Venues, and each question would wait for half a minute."""
    wanted, silent = wish(f"https://127.0.0.1:{free_port()}/dir"), {}
    first = why(lambda: Authority(asking.host, wanted, silent).window("")).message
    os.remove(os.path.join(asking.host.house, authority.PROGRAM))
    assert why(lambda: Authority(asking.host, wanted, silent).window("")).message == first
    other = wish("https://127.0.0.1:1/dir")
    assert "gave no answer" in why(lambda: Authority(asking.host, other, silent).window("")).message


def test_the_user_who_asks_can_not_read_keys(asking: House) -> None:
    """FAULTS 61: who asks may read the account's key, and neither keys of certificates nor anything else of Venues."""
    pairs = Pairs.of(asking.host, "jazz", "a.example")
    pairs.make_selfsigned(NAMES)
    user = process.User.named("daemon")
    tried = {path: process.run(["cat", path], user).code for path in (pairs.key, account.path(asking.host, "jazz"))}
    assert tried == {pairs.key: 1, account.path(asking.host, "jazz"): 0}
    other = process.User.named("www-data")
    assert process.run(["cat", account.path(asking.host, "jazz")], other).code == 1


Answer = tuple[int, dict[str, str], Any]


@contextmanager
def answering(**answers: Answer) -> Iterator[str]:
    """An authority that says these things, by the last part of the URL; yields its directory's URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            status, headers, body = answers[self.path.rpartition("/")[2]]
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response_only(status)
            for name, value in {"Content-Type": "application/json", "Replay-Nonce": "bm9uY2U", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        def log_message(self, *_args: Any) -> None:
            pass

    for method in ("GET", "HEAD", "POST"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        listed = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order", "renewalInfo": "renewal"}
        directory = {name: f"{url}/{path}" for name, path in listed.items()}
        answers.setdefault("dir", (200, {}, directory))
        answers.setdefault("nonce", (200, {}, b""))
        answers.setdefault("account", (201, {"Location": f"{url}/account/1"}, {"status": "valid"}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"{url}/dir"
        finally:
            server.shutdown()


LIMITED = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates"}


@pytest.mark.parametrize(
    ("order", "said", "wait"),
    [
        (
            (429, {"Retry-After": "86400"}, LIMITED),
            "the authority refuses: rateLimited too many certificates",
            86400,
        ),
        ((500, {}, b"<html>oops"), "the authority does not answer at ", 0),
        ((201, {}, {"status": "pending"}), "the authority does not answer at ", 0),
    ],
)
def test_an_order_that_is_refused(asking: House, order: Answer, said: str, wait: float) -> None:
    with answering(order=order) as url:
        refused = why(lambda: ask(asking, wish(url)))
    assert refused.message.startswith(said)
    assert refused.wait == wait


def test_names_that_are_refused_at_once(asking: House) -> None:
    part = {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "a policy forbids it"}
    parts = [{**part, "identifier": {"type": "dns", "value": "www.a.example"}}]
    problem = {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "subproblems": parts}
    with answering(order=(400, {"Content-Type": "application/problem+json"}, problem)) as url:
        refused = why(lambda: ask(asking, wish(url)))
    assert refused.names == {"www.a.example": "rejectedIdentifier a policy forbids it"}


@pytest.mark.parametrize(("hours", "said"), [(3, "-3.0 h off"), (-30, "+30.0 h off")])
def test_a_wrong_clock_asks_nothing(asking: House, hours: int, said: str) -> None:
    """FAULTS 78."""
    with answering(dir=(200, {"Date": formatdate(time.time() + hours * 3600, usegmt=True)}, {})) as url:
        told = why(lambda: ask(asking, wish(url))).message
    assert said in told
    assert told.endswith("set the clock; nothing was asked")


def test_when_the_authority_suggests_to_renew(asking: House, pebble: Pebble) -> None:
    chain, _key = ask(asking, wish(pebble.directory, pebble.ca))
    assert Authority(asking.host, wish(pebble.directory, pebble.ca)).window(chain)["again"] == 86400, (
        "it has no such thing"
    )
    window = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00.5Z"}
    name = identifier(chain)
    with answering(**{name: (404, {}, {})}) as url:
        assert why(lambda: Authority(asking.host, wish(url)).window(chain))
    with answering(**{name: (200, {"Retry-After": "21600"}, {"suggestedWindow": window})}) as url:
        found = Authority(asking.host, wish(url)).window(chain)
    assert found == {"start": 1793491200.0, "end": 1793577600.5, "again": 21600}


def identifier(chain: str) -> str:
    """What RFC 9773 calls a certificate, by openssl's words alone."""
    text = certs.openssl("x509", "-noout", "-serial", "-ext", "authorityKeyIdentifier", stdin=chain)
    (key,) = [line.strip().removeprefix("keyid:") for line in text.splitlines() if line.startswith(" ")]
    serial = text.partition("serial=")[2].partition("\n")[0]
    number = int(serial, 16)
    parts = bytes.fromhex(key.replace(":", "")), number.to_bytes(number.bit_length() // 8 + 1, "big")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


TSIG = 'key "backstage-h1" {\n\talgorithm hmac-sha256;\n\tsecret "%s";\n};\n'
SECRET = base64.b64encode(b"x" * 32).decode()


@pytest.fixture
def names(asking: House, tmp_path: Path) -> Iterator[PowerDns]:
    """A name server with a zone, and one for its challenges, in which a key of this host may write."""
    resolver = Path("/etc/resolv.conf")
    before = resolver.read_bytes() if resolver.exists() else b""
    options = ("dnsupdate=yes", "allow-dnsupdate-from=")
    with PowerDns.running(tmp_path / "names", "127.0.0.1", *options) as running:
        for zone in ("example.", "acme.example."):
            soa = {"content": f"ns.example. hostmaster.{zone} 1 10800 3600 604800 1", "disabled": False}
            rrset = {"name": zone, "type": "SOA", "ttl": 1, "records": [soa]}
            made = {"name": zone, "kind": "Master", "rrsets": [rrset]}
            assert running.ask("POST", "/zones", made)[0] == 201
        for name, kind, content in (("ns", "A", "127.0.0.1"), ("_acme-challenge.a", "CNAME", "a.acme.example.")):
            running.by_hand("example", f"{name}.example", kind, content)
        running.ask("POST", "/tsigkeys", {"name": "backstage-h1", "algorithm": "hmac-sha256", "key": SECRET})
        for kind, value in (("TSIG-ALLOW-DNSUPDATE", "backstage-h1"), ("ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")):
            data = {"kind": kind, "metadata": [value], "type": "Metadata"}
            assert running.ask("POST", "/zones/acme.example./metadata", data)[0] in (201, 204)
        account.write_tsig(asking.host, "jazz", TSIG % SECRET)
        resolver.write_text("nameserver 127.0.0.1\n")
        yield running
        resolver.write_bytes(before)


def by_dns(pebble: Pebble) -> Wish:
    return wish(pebble.directory, pebble.ca, challenge="dns-01")


def test_names_proven_by_dns(asking: House, names: PowerDns, running_pebble: Pebble, place: Path) -> None:
    """The CNAME leads to the zone of challenges, and nothing is left there. What may not be written is told of."""
    running_pebble.stop()  # it has the ports
    with Pebble.running(place, 1, names=53) as pebble:
        chain, _key = ask(asking, by_dns(pebble), ("a.example",))
        assert checks.about(chain).names == ("a.example",)
        assert not [one for one in names.zone("acme.example") if "TXT" in one]
        refused = why(lambda: ask(asking, by_dns(pebble), ("a.example", "b.example")))
        assert list(refused.names) == ["b.example"]
        assert refused.message.startswith("b.example: its challenge can't be written at _acme-challenge.b.example.: ")
        assert "REFUSED" in refused.message
        account.write_tsig(asking.host, "jazz", TSIG % base64.b64encode(b"y" * 32).decode())
        pebble.forget()
        assert list(why(lambda: ask(asking, by_dns(pebble), ("a.example",))).names) == ["a.example"]


def test_a_program_that_is_missing(asking: House) -> None:
    os.remove(os.path.join(asking.host.house, authority.PROGRAM))
    assert "backstage_acme.py gave no answer: " in why(lambda: ask(asking, wish("https://127.0.0.1:1/dir"))).message
