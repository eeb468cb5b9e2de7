# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role front_of_house refuses, and what it finds."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path

import front_of_house_survey as subject
import pytest

CONSTANTS, VENUES = "/etc/nginx/conf.d/backstage.conf", "/etc/nginx/backstage/venues"
LIMITS = "/etc/nginx/modules-enabled/90-backstage.conf"
QUESTION = {"port": 80, "constants": CONSTANTS, "ours": [CONSTANTS, LIMITS], "venues": VENUES, "facts": "/none.json"}


def nginx(monkeypatch: pytest.MonkeyPatch, status: int, stdout: str = "", stderr: str = "") -> None:
    """Let `nginx -T` answer so, on a host with the package's site untouched and its port free."""
    monkeypatch.setattr(subject, "run", lambda *argv: subprocess.CompletedProcess(argv, status, stdout, stderr))
    monkeypatch.setattr(subject, "default_site", lambda: "untouched")
    monkeypatch.setattr(subject, "listeners", lambda port: set())


@pytest.mark.parametrize(
    ("error", "message", "path"),
    [
        (
            '2026/11/21 10:54:55 [emerg] 903#903: unknown directive "foo" in /etc/nginx/sites-enabled/a b:1\n'
            "nginx: configuration file /etc/nginx/nginx.conf test failed\n",
            'unknown directive "foo" in /etc/nginx/sites-enabled/a b:1',
            "/etc/nginx/sites-enabled/a b",
        ),
        (
            'nginx: [emerg] cannot load certificate "/etc/x.pem": BIO_new_file() failed',
            'cannot load certificate "/etc/x.pem": BIO_new_file() failed',
            "",
        ),
        ("", "nginx -t failed and said nothing", ""),
    ],
)
def test_fault(error: str, message: str, path: str) -> None:
    """The first complaint, without its time stamp, and whose file it is about."""
    assert subject.fault(error) == (message, path)


@pytest.mark.parametrize(
    ("path", "refused", "broken"),
    [
        ("/etc/nginx/sites-enabled/shop", True, False),
        (CONSTANTS, False, True),
        (LIMITS, False, True),
        (f"{VENUES}/jazz.a.conf", False, False),
    ],
)
def test_a_broken_configuration(monkeypatch: pytest.MonkeyPatch, path: str, refused: bool, broken: bool) -> None:
    """A stranger's mistake is refused before anything changes; our own is what this run mends."""
    nginx(monkeypatch, 1, stderr=f"2026/11/21 10:54:55 [emerg] 9#9: unexpected end of file in {path}:3\n")
    answer = subject.front_of_house(QUESTION)
    assert answer["broken"] is broken
    assert [path in refusal for refusal in answer["refusals"]] == ([True] if refused else [])


@pytest.mark.parametrize("status", [0, 127])
def test_nothing_in_the_way(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A host whose nginx is in order, or has none yet."""
    nginx(monkeypatch, status)
    assert subject.front_of_house(QUESTION)["refusals"] == []


@pytest.mark.parametrize(
    ("listen", "port", "found"),
    [
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
    ],
)
def test_default_servers(listen: str, port: int, found: bool) -> None:
    """Only a default server for all addresses is in the way of ours."""
    before = "# configuration file /etc/nginx/nginx.conf:\nhttp {}\n"
    dump = f"{before}\n# configuration file /etc/nginx/a.conf:\nserver {{\n\t{listen}\n}}"
    assert subject.default_servers(dump, port) == (
        {"/etc/nginx/a.conf": " ".join(listen[listen.index("listen") :].split())} if found else {}
    )


def test_what_others_say_already() -> None:
    """Of a directive that may stand once, and of one that only the owner of nginx.conf can change."""
    dump = (
        "# configuration file /etc/nginx/nginx.conf:\n# worker_rlimit_nofile 1;\nevents { worker_connections 768; }\n"
        f"# configuration file {LIMITS}:\nworker_rlimit_nofile 16384;\n"
    )
    assert subject.says(dump, "worker_connections", []) == [("/etc/nginx/nginx.conf", "768")]
    assert subject.says(dump, "worker_rlimit_nofile", [LIMITS]) == []
    assert subject.says(dump, "worker_rlimit_nofile", []) == [(LIMITS, "16384")]


@pytest.mark.parametrize(
    ("path", "site", "refused"),
    [
        (subject.LINK, "untouched", False),
        (subject.LINK, "changed", True),
        (CONSTANTS, "none", False),
        ("/etc/nginx/sites-enabled/shop", "none", True),
    ],
)
def test_a_default_server_of_somebody_else(
    monkeypatch: pytest.MonkeyPatch, path: str, site: str, refused: bool
) -> None:
    """The package's own site will be taken out, ours is ours, and any other is named."""
    nginx(monkeypatch, 0, stdout=f"# configuration file {path}:\nserver {{\n    listen 80 default_server;\n}}\n")
    monkeypatch.setattr(subject, "default_site", lambda: site)
    assert [path in refusal for refusal in subject.front_of_house(QUESTION)["refusals"]] == ([True] if refused else [])


def test_who_has_the_port() -> None:
    """A program that listens on the port is named, on IPv4 as on IPv6."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.create_server((address, 0), family=family) as server:
            sockets = subject.listeners(server.getsockname()[1])
            assert len(sockets) == 1
            assert "(process " in subject.holder(sockets)
    assert subject.holder(set()) == ""
    assert subject.holder({"socket:[0]"}) == "a process that can't be seen from here"


def test_a_port_in_the_kernels_table(tmp_path: Path) -> None:
    """Only listening sockets count, and only by their local port."""
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n"
        "   1: 0100007F:0050 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n"
        "   2: 0100007F:D431 0100007F:0050 0A 00000000:00000000 00:00000000 00000000     0        0 333 1\n",
        encoding="utf-8",
    )
    assert subject.listeners(80, str(table)) == {"socket:[111]"}


@pytest.mark.parametrize(
    ("text", "shipped", "linked", "state"),
    [
        ("server {}", "server {}", True, "untouched"),
        ("server { mine; }", "server {}", True, "changed"),
        ("server {}", "server {}", False, "changed"),
        ("server {}", None, True, "none"),
    ],
)
def test_default_site(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, shipped: str | None, linked: bool, state: str
) -> None:
    """Untouched is only the package's link to the package's file, by dpkg's own digest."""
    site, link = tmp_path / "available", tmp_path / "enabled"
    site.write_text(text, encoding="utf-8")
    if shipped and linked:
        link.symlink_to(site)
    elif shipped:
        link.write_text(text, encoding="utf-8")
    digest = hashlib.md5((shipped or "").encode(), usedforsecurity=False).hexdigest()
    stdout = f"\n /etc/default/nginx {'0' * 32}\n {site} {digest}\n"
    monkeypatch.setattr(subject, "SITE", str(site))
    monkeypatch.setattr(subject, "LINK", str(link))
    monkeypatch.setattr(subject, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, stdout, ""))
    assert subject.default_site() == state


@pytest.mark.parametrize(
    ("text", "removed"),
    [('{"removed_default_site": true}', True), ("{}", False), ("[]", False), ("{", False), ("", False)],
)
def test_the_note_of_an_earlier_run(tmp_path: Path, text: str, removed: bool) -> None:
    """What is not a note of ours is none."""
    facts = tmp_path / "front_of_house.json"
    facts.write_text(text, encoding="utf-8")
    assert subject.removed_default_site(str(facts)) is removed
