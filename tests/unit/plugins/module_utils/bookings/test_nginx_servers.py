# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers in what `nginx -T` prints, in every way in which somebody may have written them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx_servers

MAIN = "/etc/nginx/nginx.conf"
FOREIGN = "/etc/nginx/conf.d/foreign.conf"


def dump(**files: str) -> str:
    """What nginx prints of a main file that includes conf.d, and of more files."""
    main = "user www-data;\nevents { worker_connections 768; }\nhttp {\n  include /etc/nginx/conf.d/*.conf;\n}\n"
    texts = {MAIN: main, **files}
    return "\n".join(f"# configuration file {path}:\n{text}\n" for path, text in texts.items())


NAMES = [
    ("server { server_name a.example; }", {"a.example"}),
    ("server { server_name  a.example\n   b.example ; }", {"a.example", "b.example"}),
    ("server { server_name \"a.example\" 'b.example'; }", {"a.example", "b.example"}),
    ("server { server_name A.Example; }", {"a.example"}),
    ("server{server_name a.example;listen 80;}", {"a.example"}),
    ("server { server_name .a.example; }", {"a.example"}),
    ("server { server_name *.a.example; }", {"*.a.example"}),
    ("server { server_name a\\.example; }", {"a.example"}),
    ("server { server_name # b.example;\n a.example; }", {"a.example"}),
    ("server { # server_name a.example;\n}", set()),
    ("server { return 200 '} server { server_name a.example; }'; }", set()),
    ('server { return 200 "\\"; server_name a.example;"; }', set()),
    ("server { location /${x}y { } server_name a.example; }", {"a.example"}),
    ("server { set $a ${b}c; server_name a.example; }", {"a.example"}),
    ("server { location / { } } server { server_name a.example; }", {"a.example"}),
    ("server { server_name $hostname; }", {socket.gethostname().lower()}),
    ("upstream server_name { server a.example; }", set()),
    ("map $host $x { server_name a.example; }", set()),
    ("}}}} ;; {", set()),
    ("server { server_name a.example", set()),
    ("", set()),
]


@pytest.mark.parametrize(("text", "names"), NAMES)
def test_names(text: str, names: set[str]) -> None:
    servers = nginx_servers.read(dump(**{FOREIGN: text}))
    assert {name for server in servers for name in server.names} == names
    assert {server.path for server in servers} <= {FOREIGN}


def test_a_directory_is_left_out_by_its_real_name(tmp_path: Path) -> None:
    (tmp_path / "venues").mkdir()
    (tmp_path / "link").symlink_to("venues")
    ours, text = str(tmp_path / "venues"), "server { server_name a.example; }"
    main = {MAIN: f"http {{ include {tmp_path}/*/*.conf; }}"}
    for name, without, found in (("venues", ours, 0), ("link", ours, 0), ("other", ours, 1), ("venues", "", 1)):
        servers = nginx_servers.read(dump(**{**main, f"{tmp_path}/{name}/a.conf": text}), without)
        assert len(servers) == found, name


PORTS = [
    ("", {80}),
    ("listen 8001;", {8001}),
    ("listen 127.0.0.1:8001 default_server;", {8001}),
    ("listen [::]:8001;", {8001}),
    ('listen "8001";', {8001}),
    ("listen\n8001\nbacklog=9;", {8001}),
    ("listen *:8001; listen 443 ssl;", {8001, 443}),
    ("listen 127.0.0.1;", {80}),
    ("listen [::1];", {80}),
    ("listen [fe80::8001];", {80}),
    ("listen localhost;", {80}),
    ("listen localhost:8001;", {8001}),
    ("listen 127.0.0.1:8000-8002;", {8000, 8001, 8002}),
    ("listen unix:/run/8001;", set()),
    ("listen 80; location / { proxy_pass http://127.0.0.1:8001; }", {80}),
]


@pytest.mark.parametrize(("text", "ports"), PORTS)
def test_ports(text: str, ports: set[int]) -> None:
    (server,) = nginx_servers.read(dump(**{FOREIGN: f"server {{ {text} }}"}))
    assert set(server.ports) == ports


def test_includes() -> None:
    """Each name has the file that says so; what is included into another block is no server of the http block."""
    files = {
        FOREIGN: "include sites/*.site;\nserver { include snippets/names.conf; listen 8001; }\n",
        "/etc/nginx/sites/a.site": "server { server_name a.example; }",
        "/etc/nginx/sites/deep/b.site": "server { server_name b.example; }",
        "/etc/nginx/snippets/names.conf": "server_name c.example;",
        "/etc/nginx/modules-enabled/mail.conf": "mail { server { server_name d.example; } }",
    }
    servers = nginx_servers.read(dump(**files))
    assert [(server.path, server.names, set(server.ports)) for server in servers] == [
        ("/etc/nginx/sites/a.site", {"a.example": "/etc/nginx/sites/a.site"}, {80}),
        (FOREIGN, {"c.example": "/etc/nginx/snippets/names.conf"}, {8001}),
    ]


def test_a_file_that_includes_itself_ends() -> None:
    text = "server { server_name a.example; }\ninclude conf.d/foreign.conf;"
    servers = nginx_servers.read(dump(**{FOREIGN: text}))
    assert {name for server in servers for name in server.names} == {"a.example"}


@pytest.mark.parametrize("text", ["", "nginx: configuration file test is successful"])
def test_nothing_was_printed(text: str) -> None:
    assert nginx_servers.read(text) == []
