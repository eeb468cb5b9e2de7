# SPDX-License-Identifier: GPL-3.0-or-later
"""One id of a request in the access log of a Venue and in the Act, so that their lines can be put together."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Auth, Venue

from ...house import HTTP, House
from ...servers import listening, read_request

V = "a.example"
COMBINED = r'127\.0\.0\.1 - - \[[^]]+\] "GET / HTTP/1\.1" 200 4 "-" "curl/8"'


def test_the_act_and_the_log_get_nginxs_own_id(open_house: House) -> None:
    """FAULTS 64: not the one that a visitor claims."""
    Path(open_house.host.params).write_text(HTTP.with_name("uwsgi.params.j2").read_text())
    asked: list[dict[str, str]] = []

    def answer(client: socket.socket) -> None:
        asked.append(read_request(client))
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npurr")

    door = Path(open_house.act().live, "door")
    door.mkdir(parents=True)
    with listening(door / "s", answer):
        open_house.book(Venue(V), Booked("kittens", "/", (), (), 60))
        nginx.reload()
        client = http.client.HTTPConnection("127.0.0.1", open_house.host.http_port, timeout=10)
        client.request("GET", "/", headers={"Host": V, "X-Request-ID": "evil", "User-Agent": "curl/8"})
        assert client.getresponse().read() == b"purr"
        client.close()
    request_id = asked[0]["HTTP_X_REQUEST_ID"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    (line,) = Path(server_block.access_log("jazz", V)).read_text().splitlines()
    assert re.fullmatch(rf"{COMBINED} {request_id} [0-9.]+ [0-9.]+", line)


def test_nginx_has_room_for_all_parameters_of_a_door(open_house: House) -> None:
    """Beyond its room it warns at every reload."""
    Path(open_house.host.params).write_text(HTTP.with_name("uwsgi.params.j2").read_text())
    open_house.book(Venue(V, auth=Auth({"ada": "$6$hash"})), Booked("kittens", "/blog", (), (), 60))
    ended = subprocess.run([nginx._PROGRAM, "-t", "-q"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
