# SPDX-License-Identifier: GPL-3.0-or-later
"""One id of a request in the access log of a Venue and in the Act, so that their lines can be put together."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Auth, Venue

from ...house import House
from ...servers import listening, read_http, read_request, role_text

V = "a.example"
COMBINED = r'127\.0\.0\.1 - - \[[^]]+\] "GET / HTTP/1\.1" 200 4 "-" "curl/8"'


def write_params(house: House) -> None:
    Path(house.host.params).write_text(role_text("uwsgi.params"))
    Path(house.host.proxy_params).write_text(role_text("proxy.params"))


@pytest.mark.parametrize("protocol", ["uwsgi", "http"])
def test_the_act_and_the_log_get_nginxs_own_id(open_house: House, protocol: str) -> None:
    """FAULTS 64: not the one that a visitor claims."""
    write_params(open_house)
    asked: list[dict[str, str]] = []

    def answer(client: socket.socket) -> None:
        asked.append(read_request(client) if protocol == "uwsgi" else dict(read_http(client)[1]))
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npurr")

    door = Path(open_house.act().live, "door")
    door.mkdir(parents=True)
    with listening(door / ("s" if protocol == "uwsgi" else "h"), answer):
        open_house.book(Venue(V), Booked("kittens", "/", (), (), 60, protocol=protocol))
        nginx.reload()
        client = http.client.HTTPConnection("127.0.0.1", open_house.host.http_port, timeout=60)
        client.request("GET", "/", headers={"Host": V, "X-Request-ID": "evil", "User-Agent": "curl/8"})
        assert client.getresponse().read() == b"purr"
        client.close()
    request_id = asked[0]["HTTP_X_REQUEST_ID" if protocol == "uwsgi" else "x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    (line,) = Path(server_block.access_log("jazz", V)).read_text().splitlines()
    assert re.fullmatch(rf"{COMBINED} {request_id} [0-9.]+ [0-9.]+", line)


@pytest.mark.parametrize("protocol", ["uwsgi", "http"])
def test_nginx_has_room_for_all_parameters_of_a_door(open_house: House, protocol: str) -> None:
    """Beyond its room it warns at every reload."""
    write_params(open_house)
    open_house.book(Venue(V, auth=Auth({"ada": "$6$hash"})), Booked("kittens", "/blog", (), (), 60, protocol=protocol))
    ended = subprocess.run([nginx._PROGRAM, "-t", "-q"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
