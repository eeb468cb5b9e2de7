# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx prints of its configuration, and of a mistake in it."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import nginx_dump, process, programs
from ansible_collections.backstage.django.plugins.module_utils.host.nginx_dump import Dump, parse

LIMITS = "/etc/nginx/modules-enabled/90-backstage.conf"
FAULTS = [
    # (what nginx prints, its first error, the file that it is about)
    (
        '2026/11/21 10:54:55 [emerg] 903#903: unknown directive "foo" in /etc/nginx/sites-enabled/a b:1\n'
        "nginx: configuration file /etc/nginx/nginx.conf test failed\n",
        'unknown directive "foo" in /etc/nginx/sites-enabled/a b:1',
        "/etc/nginx/sites-enabled/a b",
    ),
    (
        'nginx: [warn] conflicting server name "a" on 0.0.0.0:80, ignored\n'
        'nginx: [emerg] cannot load certificate "/etc/x.pem": BIO_new_file() failed',
        'cannot load certificate "/etc/x.pem": BIO_new_file() failed',
        "",
    ),
    ("", "nginx -t failed and said nothing", ""),
]


@pytest.mark.parametrize(("said", "message", "path"), FAULTS)
def test_a_fault(monkeypatch: pytest.MonkeyPatch, said: str, message: str, path: str) -> None:
    monkeypatch.setattr(programs, "ask", lambda *_argv: process.Result(1, "", said))
    dump = Dump.read()
    assert (dump.files, dump.fault, nginx_dump.place(dump.fault)) == ({}, message, path)


def test_a_host_without_nginx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "ask", lambda *_argv: process.Result(programs.MISSING, "", "no such file"))
    assert Dump.read() == Dump({})


LISTENS = [
    # (the line, the port, whether it is a default server of all addresses)
    ("listen 80 default_server;", 80, True),
    ("listen [::]:80 default_server;", 80, True),
    ("listen *:80 reuseport default_server;", 80, True),
    ("listen 0.0.0.0:80 default;", 80, True),
    ('listen "80" default_server;', 80, True),
    ("listen 80\n\tdefault_server;", 80, True),
    ("server_name a.example; listen 80 default_server;", 80, True),
    ("listen 8080 default_server;", 80, False),
    ("listen 80 default_server;", 8080, False),
    ("listen 127.0.0.1:80 default_server;", 80, False),
    ("listen 80;", 80, False),
    ("# listen 80 default_server;", 80, False),
]


@pytest.mark.parametrize(("listen", "port", "found"), LISTENS)
def test_default_servers(listen: str, port: int, found: bool) -> None:
    """Only a default server for all addresses is in the way of ours."""
    before = "# configuration file /etc/nginx/nginx.conf:\nhttp {}\n"
    dump = Dump(parse(f"{before}\n# configuration file /etc/nginx/a.conf:\nserver {{\n\t{listen}\n}}"))
    line = " ".join(listen[listen.index("listen") :].split())
    assert dump.default_servers(port) == ({"/etc/nginx/a.conf": line} if found else {})


def test_values() -> None:
    dump = Dump(
        parse(
            "# configuration file /etc/nginx/nginx.conf:\n# worker_rlimit_nofile 1;\n"
            "events { worker_connections 768; }\n"
            f"# configuration file {LIMITS}:\nworker_rlimit_nofile 16384;\n"
        )
    )
    assert dump.values("worker_connections") == {"/etc/nginx/nginx.conf": "768"}
    assert dump.values("worker_rlimit_nofile") == {LIMITS: "16384"}
    assert dump.values("user") == {}
