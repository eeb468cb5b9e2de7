# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of all kinds, and what Django sees of them."""

from __future__ import annotations

import json
import re

import pytest
from conftest import VENUE, Street


def test_fault_63_an_unknown_host_gets_no_answer(street: Street) -> None:
    with street.sees():
        for host in ("nosuch.example.com", street.address, "x" * 200 + ".example.com", "hall.example.com.evil.example"):
            assert street.visit(host=host).status == 0, host
        assert street.send(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status == 400
        assert street.send(b"GET / HTTP/1.0\r\n\r\n").status == 0
        assert street.send(b"GET http://nosuch.example.com/ HTTP/1.1\r\nHost: hall.example.com\r\n\r\n").status == 0


HOSTS = [
    # (URI of the request line, Host, the host that Django sees)
    ("/echo/", "hall.example.com", "http://hall.example.com/"),
    ("/echo/", "HALL.Example.Com", "http://hall.example.com/"),
    ("/echo/", "hall.example.com.", "http://hall.example.com/"),
    ("/echo/", "hall.example.com:8080", "http://hall.example.com:8080/"),
    ("/echo/", "hall.example.com:x", "http://hall.example.com/"),
    ("http://hall.example.com/echo/", "nosuch.example.com", "http://hall.example.com/"),
    ("HTTP://Hall.example.com/echo/", "nosuch.example.com:99", "http://hall.example.com/"),
    ("http://hall.example.com:8080/echo/", "nosuch.example.com", "http://hall.example.com:8080/"),
    ("http://hall.example.com:8080/echo/?at=http://x:9/", "hall.example.com:7", "http://hall.example.com:8080/"),
]


@pytest.mark.parametrize(("uri", "host", "seen"), HOSTS)
def test_django_sees_the_host_of_the_venue(street: Street, uri: str, host: str, seen: str) -> None:
    """If the URI names the host, nginx ignores the header Host."""
    answer = street.send(f"GET {uri} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    if host.endswith(":x") and answer.status == 400:
        return  # this nginx refuses such a port
    assert answer.status == 200, answer
    found = json.loads(answer.body)
    assert found["uri"] == seen
    assert found["meta"]["HTTP_HOST"] == found["meta"]["HTTP_X_FORWARDED_HOST"] == seen[7:-1]


def test_at_a_port_django_sees_the_host_of_the_request(street: Street) -> None:
    found = street.host.sh(
        "python3 - <<'E'\nimport http.client\nfor host in ('localhost', '127.0.0.1'):\n"
        "  client = http.client.HTTPConnection(host, 8001); client.request('GET', '/echo/')\n"
        "  print(client.getresponse().read().decode())\nE"
    )
    assert [json.loads(line)["uri"] for line in found.splitlines()] == [
        "http://localhost:8001/",
        "http://127.0.0.1:8001/",
    ]


CLAIMS = [
    "X-Forwarded-Proto: https", "X-Forwarded-Ssl: on", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.example",
    "X-Forwarded-Port: 99", "X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.1;host=evil.example;proto=https",
    "Proxy: http://evil.example", "Remote-User: root", "X-Remote-User: root", "X-Forwarded-User: root",
    "X-Auth-Request-User: root", "X-Forwarded-Email: root@evil.example",
    "Remote-Addr: 192.0.2.1", "Client-IP: 192.0.2.1",
    "True-Client-IP: 192.0.2.1", "CF-Connecting-IP: 192.0.2.1", "X-Original-URL: /admin/", "X-Script-Name: /evil",
    "X-SSL-Client-Verify: SUCCESS", "REMOTE_USER: root", "HTTP_REMOTE_USER: root", "X_Forwarded_User: root",
    "Remote_User: root", "UWSGI_SCRIPT: evil", "SCRIPT_NAME: /evil", "X-Request-Id: forged",
]  # fmt: skip


def test_fault_64_headers_that_a_visitor_forges(street: Street) -> None:
    plain, claimed = street.echo(), street.echo(*CLAIMS)
    ids = [seen["meta"].pop("HTTP_X_REQUEST_ID") for seen in (plain, claimed)]
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)  # each request has nginx's own
    assert ids[0] != ids[1]
    del plain["meta"]["REMOTE_PORT"], claimed["meta"]["REMOTE_PORT"]
    assert claimed == plain
    assert not claimed["secure"]
    kept = street.echo("X-Requested-With: XMLHttpRequest", "Authorization: Bearer x")["meta"]
    assert (kept["HTTP_X_REQUESTED_WITH"], kept["HTTP_AUTHORIZATION"]) == ("XMLHttpRequest", "Bearer x")


def test_nginx_logs_no_warning(street: Street) -> None:
    """nginx would warn for each Venue if it had too many headers to drop."""
    assert street.host.sh("nginx -t -q 2>&1") == ""


@pytest.mark.parametrize("count", [110, 400, 990])
def test_many_headers(street: Street, count: int) -> None:
    answer = street.visit("/echo/", *[f"X-{number}: {number}" for number in range(count)])
    assert answer.status == 200
    assert sum(re.fullmatch("HTTP_X_[0-9]+", name) is not None for name in json.loads(answer.body)["meta"]) == count


HEAVY = [
    # (header lines, status): Django gets what nginx accepts
    ([f"X-A: {'x' * 8000}"], 200),
    ([f"X-{number}: {'x' * 8000}" for number in range(3)], 200),
    ([f"X-A: {'x' * 31000}"], 400),
    ([f"X-{number}: {'x' * 8000}" for number in range(9)], 400),
    ([f"X-{number}: x" for number in range(3000)], 400),
    (["a:"] * 4000, 400),
]


@pytest.mark.parametrize(("lines", "status"), HEAVY)
def test_fault_67_large_headers(street: Street, lines: list[str], status: int) -> None:
    """The answer is never 502, which would mean that the Act failed."""
    assert street.visit("/", *lines).status == status
    long = street.visit("/?" + "y" * 8000, *lines)
    assert long.status in (200, 400, 414)


ODD = [
    # (request, statuses); 0 means that nginx closed the connection
    (
        b"POST /upload/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400},
    ),
    (b"POST /upload/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfour", {400}),
    (b"POST /upload/ HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}),
    (b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n", {400}),
    (b"GET /a\x00b HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"GET /a%00b HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"GET /static/%2e%2e/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n", {400}),
    (b"TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n", {405}),
    (b"GET / HTTP/1.1\r\nHost: {host}\r\n X-Folded: y\r\n\r\n", {400}),
    (b"GET / HTTP/9.9\r\nHost: {host}\r\n\r\n", {400, 505}),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {0, 400}),
]


@pytest.mark.parametrize(("request_", "statuses"), ODD)
def test_fault_67_odd_requests(street: Street, request_: bytes, statuses: set[int]) -> None:
    with street.sees():
        text = request_.replace(b"{host}", VENUE.encode()).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        answer = street.send(text)
        assert answer.status in statuses
        assert answer.seconds < 12


def test_fault_67_a_line_feed_in_a_path_makes_no_header(street: Street) -> None:
    for host in (VENUE, "www.hall.example.com"):
        answer = street.visit("/a%0d%0aX-Evil:%20y", host=host)
        assert answer.status in (301, 404)
        assert "\nx-evil" not in answer.head.lower()


def test_merged_slashes(street: Street) -> None:
    """Django sees one slash in the path, and the URI as it was sent."""
    found = street.echo(path="//echo///?a=//b")["meta"]
    assert (found["PATH_INFO"], found["QUERY_STRING"], found["REQUEST_URI"]) == ("/echo/", "a=//b", "//echo///?a=//b")


def test_fault_65_bodies_that_are_too_large(street: Street) -> None:
    """nginx refuses them and keeps no file of them. The Act's workers get no request."""
    left = "find /var/lib/nginx /tmp -type f | wc -l"
    before = street.host.sh(left)
    with street.sees():
        head = f"POST /upload/ HTTP/1.1\r\nHost: {VENUE}\r\nConnection: close\r\n"
        assert street.send(f"{head}Content-Length: 11534336\r\n\r\n".encode() + b"x" * 11534336).status == 413
        endless = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
        answer = street.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + endless * 12)
        assert (answer.status, answer.seconds < 12) == (413, True)
    whole = street.send(f"{head}Content-Length: 10000000\r\n\r\n".encode() + b"x" * 10000000)
    assert (whole.status, whole.body) == (200, b"10000000\n")
    assert street.visit().seconds < 5
    assert street.host.sh(left) == before


WITHHELD = [
    "tour.py", "tour.sqlite3", "tour.sql.gz", "TOUR.SQLITE3-wal", "a.db", "a.env", "a.htpasswd", "a.log",
    "a.bak", "a.py~",
    "a.pyc", "a.ini", ".secret", ".git/config", ".env",
]  # fmt: skip


def test_fault_68_private_files_are_not_served(street: Street) -> None:
    media = f"{street.root}/acts/hall/media"
    street.host.sh(f"cd {media}; mkdir -p .git; for name in {' '.join(WITHHELD)}; do echo x > $name; done")
    street.host.sh(f"cd {media}; echo '<script>' > page.html; echo '<svg/>' > page.svg; echo x > logbook.txt")
    try:
        for prefix in ("/media/", "/static/hall/"):
            for name in WITHHELD:
                assert street.visit(prefix + name).status == 404, prefix + name
            assert street.visit(prefix + "logbook.txt").status == 200
        for page in ("page.html", "page.svg"):
            answer = street.visit(f"/media/{page}")
            assert (answer.status, "X-Content-Type-Options: nosniff" in answer.head) == (200, True)
            assert "Content-Security-Policy: sandbox; default-src 'none'" in answer.head
    finally:
        street.host.sh(f"cd {media}; rm -rf .[!.]* *")


def test_fault_45_symlinks_are_not_followed(street: Street) -> None:
    """Neither in directories that an Act can write, nor in a sealed release."""
    act = f"{street.root}/acts/hall"
    street.host.sh(f"""
        ln -s /etc/passwd {act}/media/passwd.txt; ln -s / {act}/media/root; chown -h street-hall {act}/media/*
        ln -s /etc/passwd $(realpath {act}/live/static)/passwd.txt
        chown -h street-hall $(realpath {act}/live/static)/passwd.txt
    """)
    try:
        for path in ("/media/passwd.txt", "/media/root/etc/passwd", "/static/passwd.txt"):
            assert street.visit(path).status in (403, 404), path
    finally:
        street.host.sh(f"rm {act}/media/* $(realpath {act}/live/static)/passwd.txt")


def test_fault_46_a_prefix_without_its_final_slash(street: Street) -> None:
    """Files beside a directory are not served below the URL of the directory."""
    for path in ("/static../release.json", "/media../data/x", "/static..%2frelease.json", "/static%2e%2e/release.json"):
        assert street.visit(path).status in (400, 404), path


def test_fault_69_error_pages_of_nginx(street: Street) -> None:
    """If no Act answers, the page is Backstage's, with a time to wait and without a version."""
    try:
        street.host.sh("pkill -STOP -u street-hall")
        hung = street.visit()
    finally:
        street.host.sh("pkill -CONT -u street-hall")
    died = street.visit("/die/")
    # uWSGI's master looks once a second: the next tests have both workers again
    workers = "pgrep -c -u street-hall -f 'uWSGI worker' || true"
    assert street.within(10, lambda: street.host.sh(workers).strip() == "2")
    for answer, status, title in ((died, 502, b"The band is tuning up"), (hung, 504, b"A very long solo")):
        assert answer.status == status
        assert title in answer.body
        assert "Retry-After: 5" in answer.head
        assert "Server: nginx\r\n" in answer.head + "\r\n"
    assert street.visit("/nowhere/").status == 404, "an Act's own pages stay"


def test_the_log_shows_requests_that_django_sees(street: Street) -> None:
    """The tests above rely on it."""
    with street.sees("SEEN GET '/?a=b'"):
        street.visit("/?a=b")
