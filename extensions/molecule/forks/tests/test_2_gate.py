# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate finds what visitors would see. It removes a Sess that it refuses, and the old one plays on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from faults.host import Host
from faults.house import within

if TYPE_CHECKING:
    from conftest import Forked

URLS = """
import sys
import time

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path


def page(text):
    return lambda _request: HttpResponse(text)


def to(where):
    return lambda _request: HttpResponseRedirect(where)


def hang(_request):
    time.sleep(20 if sys.modules["uwsgi"].worker_id() == 2 else 0)
    return HttpResponse("purr")


urlpatterns = [{}]
"""
LOGIN = 'path("", to("/login/"))'
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (LOGIN, {}, "/ leads to /login/: nothing at /login/ (404): set health.path to a page that the Act has"),
    (
        f'{LOGIN}, path("login/", lambda _request: 1 / 0)',
        {},
        "/ leads to /login/: /login/ answers 500: ZeroDivisionError: division by zero (busker/urls.py:22)",
    ),
    (
        f"{LOGIN}, path(\"login/\", page('<link rel=stylesheet href=/static/busker/gone.css>'))",
        {},
        "/login/ names the style sheet /static/busker/gone.css, which answers 404: is it in the static files of an app,"
        " or made by a command that belongs into 'after_static', such as offline compression, or into 'build', such as"
        " 'npm ci'?"
        " 'health: {status: [200]}' has the first answer's status judged alone",
    ),
    (
        'path("", to("http://www.door.example.com/"))',
        {},
        "/ leads to www.door.example.com, and nginx redirects back to door.example.com without end: set"
        " PREPEND_WWW = False, or make www.door.example.com the Venue's name and door.example.com its alias",
    ),
    ('path("", hang)', {"timeout": 4}, "/ was asked: worker 2 of 2 does not answer: no answer within 4 s"),
]


def write(forked: Forked, patterns: str, health: dict[str, Any]) -> None:
    act = forked.act("door")
    act["files"] = [{"path": "busker/urls.py", "content": URLS.replace("{}", patterns)}]
    act["health"] = health


@pytest.mark.parametrize(("patterns", "health", "said"), REFUSED)
def test_fault_20_pages_that_the_gate_refuses(forked: Forked, patterns: str, health: dict[str, Any], said: str) -> None:
    live = forked.live("door")
    write(forked, patterns, health)
    assert forked.refused() == {said}
    assert forked.live("door") == live
    # the Sess that was refused is gone, even if a worker hung
    assert [len(found) for found in forked.processes("door")] == [3, 3]


def test_a_login_page_and_its_style_sheet_pass_the_gate(forked: Forked) -> None:
    style = "page('<link rel=stylesheet href=/static/busker/hat.css>')"
    write(forked, f'{LOGIN}, path("login/", {style})', {})
    forked.plays()


def test_a_health_status_judges_the_first_answer(forked: Forked) -> None:
    write(forked, f'{LOGIN}, path("login/", lambda _request: 1 / 0)', {"status": [302]})
    forked.plays()
    run = forked.play("status")
    assert (
        run.printed.count("http://door.example.com/  302: / leads to /login/: it answers 500  open  door: playing") == 2
    )


FOREIGN = "server { listen 80; listen [::]:80; server_name door.example.com; return 200 hijacked; }\n"


def reload(host: Host, hijacked: bool) -> None:
    """Reload nginx, and wait for an answer of a new worker."""
    host.sh("nginx -s reload")
    assert within(10, lambda: ("hijacked" in host.script("get.py", "door.example.com", "/")["page"]) == hijacked)


def test_a_foreign_server_answers_for_our_name(forked: Forked) -> None:
    """nginx read its file first, so it answers in our place."""
    for host in forked.hosts:
        host.write("/etc/nginx/conf.d/00-foreign.conf", FOREIGN)
        reload(host, hijacked=True)
    run = forked.play("status")
    said = "http://door.example.com/  / answers 200 at door.example.com: another server of nginx answers for this name"
    assert run.printed.count(said) == 2
    for host in forked.hosts:
        host.sh("rm /etc/nginx/conf.d/00-foreign.conf")
        reload(host, hijacked=False)
    assert "another server" not in forked.play("status").printed
