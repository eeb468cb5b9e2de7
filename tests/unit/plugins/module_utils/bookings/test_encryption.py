# SPDX-License-Identifier: GPL-3.0-or-later
"""Venues with TLS, served by a real nginx: what is led to HTTPS, what is refused, and the way there and back."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import readiness, visit
from ansible_collections.backstage.django.plugins.module_utils.bookings.visit import Place
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.host.timed_socket import TimedSocket
from ansible_collections.backstage.django.plugins.module_utils.host.timed_tls import TimedTls
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Gig, Pair, Sess, Tls, Venue

from ... import certs
from ...house import House, wanted
from ...servers import Nginx, free_port, listening, read_request
from ...told import told
from .test_manager import booked

V, WWW = "a.example", "www.a.example"
GIG = Gig("kittens", V)
TLS, PLAIN = Venue(V, [WWW], Tls("selfsigned")), Venue(V, [WWW])


def own(pair: Pair) -> Venue:
    """The Venue with a certificate of its manifest."""
    return replace(TLS, tls=Tls("files", pair.certificate, pair.key))


def answer(client: socket.socket) -> None:
    asked = read_request(client)
    own_word = "Strict-Transport-Security: max-age=1"
    client.sendall(f"HTTP/1.1 200 OK\r\n{own_word}\r\n\r\n{asked['HTTPS']} {asked['HTTP_HOST']}".encode())


@pytest.fixture
def playing(open_house: House) -> Iterator[House]:
    """An Act that plays, on a host whose nginx has a port for TLS."""
    house = open_house
    house.host = replace(house.host, https_port=free_port())
    Path(house.host.params).write_text("uwsgi_param HTTPS $https;\nuwsgi_param HTTP_HOST $http_host;\n")
    want = wanted()
    house.build(want.release)
    house.record(want)
    os.symlink(house.root / "s", house.act().sess(house.play(want, Sess("kittens"))).socket)
    with listening(house.root / "s", answer):
        yield house


@pytest.fixture
def encrypted(playing: House) -> House:
    assert booked(playing, GIG, venues=(TLS,)).apply() == {}
    return playing


def plain(house: House, name: str, path: str = "/") -> tuple[int, str]:
    status, headers, _body = Nginx("", house.root, house.host.http_port).get(name, path)
    return status, headers.get("Location", "")


def headers(house: House, name: str, path: str = "/") -> tuple[int, list[str]]:
    """Status and HSTS by HTTPS, whatever the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = http.client.HTTPSConnection("127.0.0.1", house.host.https_port, timeout=60)
    client.sock = context.wrap_socket(socket.create_connection((client.host, client.port)), server_hostname=name)
    try:
        client.request("GET", path, headers={"Host": name})
        found = client.getresponse()
        return found.status, found.headers.get_all("Strict-Transport-Security", [])
    finally:
        client.close()


def secure(house: House, name: str, host: str = "", **options: Any) -> tuple[int, str, str]:
    """Status, Location and body, by this name in the handshake and another one as the Host."""
    context = ssl.create_default_context(cafile=Pairs.of(house.host, "jazz", V).certificate)
    for key, value in options.items():
        setattr(context, key, value)
    client = http.client.HTTPSConnection("127.0.0.1", house.host.https_port, timeout=60)
    client.sock = context.wrap_socket(socket.create_connection((client.host, client.port)), server_hostname=name)
    try:
        client.request("GET", "/x?y=1", headers={"Host": host or name})
        found = client.getresponse()
        return found.status, found.getheader("Location", ""), found.read().decode()
    finally:
        client.close()


def test_http_leads_to_https(encrypted: House) -> None:
    secured = f"https://{V}:{encrypted.host.https_port}/x?y=1"
    assert plain(encrypted, V, "/x?y=1") == (301, secured)
    assert plain(encrypted, WWW, "/x?y=1") == (301, secured)
    assert secure(encrypted, WWW)[:2] == (301, secured)


def test_the_act_knows_that_it_is_secure(encrypted: House) -> None:
    assert secure(encrypted, V) == (200, "", f"on {V}")


def test_a_request_for_another_site_over_this_connection(encrypted: House) -> None:
    """FAULTS 63: one site's certificate never answers for another site."""
    other = Venue("b.example", [], Tls("selfsigned"))
    assert booked(encrypted, GIG, venues=(TLS, other)).apply() == {}
    assert secure(encrypted, V, "b.example")[0] == 421
    assert secure(encrypted, V, WWW)[0] == 301, "another name of the same Venue is no other site"


def test_status_tells_the_url_and_what_it_answers(encrypted: House) -> None:
    (found,) = visit.urls("jazz", encrypted.host, {})
    url = f"https://{V}:{encrypted.host.https_port}/"
    assert (found["url"], found["status"], found["error"]) == (url, 200, "")


def test_an_answer_that_never_ends_has_an_end(encrypted: House) -> None:
    """The time of a question is that of the whole answer, with TLS as without."""
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen()
    with silent, TimedSocket(socket.AF_INET, 0.5) as below:
        below.connect(silent.getsockname())
        with pytest.raises(TimeoutError):
            TimedTls(below, V)
    host = replace(encrypted.host, https_port=encrypted.host.http_port)
    assert "does not answer on this host" in told(visit.get, host, V, "/", 5, scheme="https")


def test_a_second_run_changes_nothing(encrypted: House) -> None:
    assert booked(encrypted, GIG, venues=(TLS,)).plan() == []


def test_from_http_to_https_and_back(playing: House) -> None:
    booked(playing, GIG, venues=(PLAIN,)).apply()
    assert plain(playing, V)[0] == 200
    there = booked(playing, GIG, venues=(TLS,))
    assert [change.step.verb for change in there.plan()] == ["change", "certify"]
    assert there.apply() == {}
    assert plain(playing, V)[0] == 301
    back = booked(playing, GIG, venues=(PLAIN,))
    assert [change.step.verb for change in back.plan()] == ["change"]
    assert back.apply() == {}
    assert plain(playing, V)[0] == 200
    assert os.listdir(playing.host.certificates) == [], "no key stays behind"


def test_a_new_alias_is_in_the_certificate(encrypted: House) -> None:
    more = replace(TLS, aliases=[WWW, "c.example"])
    assert [change.step.verb for change in booked(encrypted, GIG, venues=(more,)).plan()] == ["change", "certify"]
    booked(encrypted, GIG, venues=(more,)).apply()
    assert secure(encrypted, "c.example")[0] == 301


HARM = [
    lambda pair: Path(pair.key).write_text(""),
    lambda pair: shutil.rmtree(pair.root),
    lambda pair: os.remove(pair.live),
]


@pytest.mark.parametrize("harm", HARM)
def test_a_certificate_that_was_damaged_is_made_anew(encrypted: House, harm: Any) -> None:
    """nginx refuses its whole configuration then, and that is no reason to refuse the run that mends it."""
    harm(Pairs.of(encrypted.host, "jazz", V))
    again = booked(encrypted, GIG, venues=(TLS,))
    changes = again.plan()
    assert [change.step.verb for change in changes] == ["certify"]
    assert readiness.refusals(changes, again, planning=False) == {}
    assert again.apply() == {}
    assert secure(encrypted, V)[0] == 200


def test_a_run_killed_before_the_reload_is_finished_by_the_next(encrypted: House) -> None:
    Pairs.of(encrypted.host, "jazz", V).make_selfsigned([V, WWW])
    assert [change.step.verb for change in booked(encrypted, GIG, venues=(TLS,)).plan()] == ["reload"]


def test_a_host_that_is_not_prepared_for_tls(playing: House) -> None:
    bookings = booked(playing, GIG, venues=(TLS,))
    for host, said in (
        (replace(playing.host, https_port=0), "set front_of_house_https_port"),
        (replace(playing.host, tls="/nonexistent"), "is of an earlier Backstage (/nonexistent is missing)"),
    ):
        bookings.host = bookings.encryption.host = host
        (refused,) = set(map(str, readiness.refusals(bookings.plan(), bookings, planning=False).values()))
        assert said in refused
        assert said in told(bookings.encryption.make, bookings.wanted(), dict)


def test_a_visit_stays_with_tls(encrypted: House) -> None:
    place = Place(V, aliases=(WWW,), scheme="https")
    assert told(visit.ask, Act("kittens"), place, encrypted.host, encrypted.act("nobody")) == ""


def test_a_certificate_of_the_manifest(encrypted: House) -> None:
    """In place of a self-signed one, then another one, and back: the file of nginx differs in its data alone."""
    for pair in (certs.signed([V, WWW]), certs.signed([V, WWW])):
        given = booked(encrypted, GIG, venues=(own(pair),))
        assert given.plan()[-1].step.verb == "certify"
        assert pair.key not in str(given.plan())
        assert given.apply() == {}
        assert secure(encrypted, V)[0] == 200
        assert Pairs.of(encrypted.host, "jazz", V).given()["certificate"] == pair.certificate
        assert booked(encrypted, GIG, venues=(own(pair),)).plan() == []
    assert booked(encrypted, GIG, venues=(TLS,)).apply() == {}
    assert secure(encrypted, V)[0] == 200


def test_a_refused_certificate_changes_nothing(encrypted: House) -> None:
    """FAULTS 73: its Venue stays as it is, and others go on."""
    other = Venue("b.example", [], Tls("selfsigned"))
    wrong = own(certs.signed([V]))
    bookings = booked(encrypted, GIG, venues=(wrong, other))
    assert [change.step.name for change in bookings.plan()] == ["b.example", "b.example"]
    refused = bookings.apply()
    assert {act: error.message for act, error in refused.items()} == {
        "kittens": f"the certificate of {V} is refused: it is not for {WWW}, but for {V}"
    }
    assert secure(encrypted, V)[0] == 200
    assert booked(encrypted, GIG, venues=(TLS, other)).plan() == []


def test_a_refused_certificate_in_place_of_a_good_one(encrypted: House) -> None:
    good = certs.signed([V, WWW])
    assert booked(encrypted, GIG, venues=(own(good),)).apply() == {}
    bad = booked(encrypted, GIG, venues=(own(replace(good, key=certs.key())),))
    assert bad.plan() == []
    assert list(bad.apply()) == ["kittens"]
    assert secure(encrypted, V)[0] == 200


def test_a_certificate_that_ends_while_it_is_in_use(encrypted: House) -> None:
    """FAULTS 74: the run goes on, because the Venue would not be better off without it."""
    ended = certs.issued([V, WWW], "20250101000000Z", "20250201000000Z")
    Pairs.of(encrypted.host, "jazz", V).install(ended, [V, WWW])
    bookings = booked(encrypted, GIG, venues=(own(ended),))
    assert bookings.refused() == {}
    (doubt,) = readiness.doubts(bookings, refused=())
    assert doubt.startswith(f"the certificate of {V} ends on 2025-02-01 00:00 UTC; deploy another one")
    renewed = booked(encrypted, GIG, venues=(own(certs.signed([V, WWW])),))
    assert readiness.doubts(renewed, refused=()) == []


def test_a_run_that_does_not_name_the_venue_keeps_its_certificate(encrypted: House) -> None:
    given = own(certs.signed([V, WWW]))
    booked(encrypted, GIG, venues=(given,)).apply()
    assert booked(encrypted, venues=()).plan() == []


def test_a_host_without_nginx_refuses_no_certificate(encrypted: House) -> None:
    """In check mode openssl may be missing there."""
    bookings = booked(encrypted, GIG, venues=(own(certs.signed([V])),))
    bookings.encryption.host = replace(encrypted.host, has_front_of_house=False)
    assert bookings.encryption.refused() == {}


def test_browsers_are_told_to_come_by_https(encrypted: House) -> None:
    """FAULTS 79: in every answer by HTTPS and once, also where a location has headers of its own; never by HTTP."""
    venue = replace(TLS, tls=Tls("selfsigned", hsts=2))
    (change,) = booked(encrypted, GIG, venues=(venue,)).plan()
    assert (change.step.verb, change.step.before, change.step.after) == ("change", {}, {"hsts": 2})
    assert booked(encrypted, GIG, venues=(venue,)).apply() == {}
    said = ["max-age=172800"]
    static = "/static/x.css"
    found = [headers(encrypted, V), headers(encrypted, WWW), headers(encrypted, V, static)]
    assert found == [(200, said), (301, said), (404, said)]
    _status, by_http, _body = Nginx("", encrypted.root, encrypted.host.http_port).get(V, "/")
    assert "Strict-Transport-Security" not in by_http
    assert booked(encrypted, GIG, venues=(venue,)).plan() == []
    os.makedirs(encrypted.host.pages, exist_ok=True)
    Path(encrypted.host.pages, "closed.html").write_text("closed")
    assert booked(encrypted, GIG, venues=(replace(venue, state="closed"),)).apply() == {}
    assert headers(encrypted, V) == (503, said)


def test_without_hsts_the_acts_own_header_is_sent(encrypted: House) -> None:
    assert headers(encrypted, V) == (200, ["max-age=1"])


def test_a_long_time_is_refused_until_https_is_proven(encrypted: House) -> None:
    pair = certs.signed([V, WWW])
    short, long = (replace(own(pair), tls=replace(own(pair).tls, hsts=days)) for days in (60, 61))
    (refused,) = booked(encrypted, GIG, venues=(long,)).apply().values()
    assert refused.message.startswith(f"the HSTS of {V} is for 61 days, and HTTPS is not proven there: begin with 60")
    assert headers(encrypted, V)[1] == ["max-age=1"], "it stays as it was"
    assert booked(encrypted, GIG, venues=(short,)).apply() == {}
    assert booked(encrypted, GIG, venues=(long,)).apply() == {}
    assert headers(encrypted, V)[1] == [f"max-age={61 * 86400}"]
