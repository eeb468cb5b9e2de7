# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes too long for CI: many switches with WebSockets, supervisor, WhiteNoise, a reboot, and a hostile Act."""

from __future__ import annotations

import hashlib
import json

import pytest
from chats import assert_back_at_once, chats
from faults.house import within
from hostile.stranger import PROBE, Stranger
from restarts import restart
from street import CORNER, SQUARE, Street, pleased, read

SLOW = f"{CORNER}/slow/?seconds=1.5"
ACTS = "/srv/backstage/stages/acts"
SWITCHES = 10
WHITENOISE = """
from busker.settings import *

MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware", *MIDDLEWARE]
"""


def deploy(street: Street, **sess: object) -> list[str]:
    street.sesses["busker"] = {"processes": 2, **sess}
    return street.play()


def test_websockets_through_ten_switches_and_a_rollback(street: Street) -> None:
    deploy(street, stage="asgi")
    street.acts["busker"]["source"]["version"] = "v2"
    street.play()
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow, chats(street) as talked:
        restart(street, "busker", SWITCHES)
        street.play("rollback", act="busker")
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=SWITCHES)
    assert [editions[-1] for editions in read(seen, CORNER, "edition")] == ["one"] * len(street.hosts)
    assert_back_at_once(talked, SWITCHES + 1)
    street.acts["busker"]["source"]["version"] = "v1"
    street.play(backstage_unhold=["busker"])


def test_a_reboot(street: Street) -> None:
    """Two symlinks start the Sess; nothing else has to."""
    before = street.live("busker")
    for host in street.hosts:
        host.garage("reboot")
    assert within(60, lambda: {answer.status for answer in street.ask(CORNER)} == {200})
    assert street.live("busker") == before
    assert street.play() == []


BROKEN = {
    "error in urls": ({"busker/urls.py": "import nothing_of_this_name\n"}, "nothing_of_this_name"),
    "answers 500": ({"busker/edition.py": "EDITION = property(lambda: 1)\n"}, "500"),
    "hangs": ({"busker/asgi.py": "import time\n\ntime.sleep(900)\n"}, "health.timeout"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_release_that_fails(street: Street, fault: str) -> None:
    """The old Sess plays on, no request fails, and nothing of the new one is left."""
    files, said = BROKEN[fault]
    before, kept = street.live("busker"), street.acts["busker"]["files"]
    added = [{"path": path, "content": content} for path, content in files.items()]
    street.acts["busker"]["files"] = [*(one for one in kept if one["path"] not in files), *added]
    street.acts["busker"]["health"] = {"timeout": 20 if fault == "hangs" else 120}
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        run = street.try_to_play()
    street.acts["busker"]["files"] = kept
    del street.acts["busker"]["health"]
    assert run.code != 0
    assert said in run.printed
    pleased(seen, CORNER, SQUARE)
    assert street.live("busker") == before
    for host, sess in zip(street.hosts, before):
        assert host.sh(f"ls {ACTS}/busker/sesses").split() == [sess]
        assert len(host.sh("ls /etc/systemd/system | grep '^backstage.stages'").split()) == 2
    assert street.play() == []


def test_static_files_by_the_act(street: Street) -> None:
    """WhiteNoise answers with its own headers; the hashed name of an earlier release is still answered, by nginx."""
    act = street.acts["busker"]
    requirements = {"path": "requirements.txt", "content": "Django==5.2.15\nwhitenoise==6.11.0\n"}
    act["files"] = [*act["files"], requirements, {"path": "busker/white.py", "content": WHITENOISE}]
    act.update(settings="busker.white", static="app")
    assert "play sess busker (release)" in street.play()
    act["source"]["version"] = "v2"
    street.play()
    for answer in street.ask(CORNER, style("two")):
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    for answer in street.ask(CORNER, style("one")):
        assert answer.status == 200
        assert answer.text == 'body { content: "edition one"; }\n'
        assert answer.headers["Cache-Control"] != "max-age=315360000, public, immutable"
    assert [answer.status for answer in street.ask(CORNER, "/static/busker/nothing.css")] == [404, 404]
    assert street.play() == []
    act["files"] = act["files"][:1]
    act["source"]["version"] = "v1"
    del act["settings"], act["static"]
    street.play()


def style(edition: str) -> str:
    """Return the URL of an edition's style sheet. Django puts a hash of the content into its name."""
    content = f'body {{ content: "edition {edition}"; }}\n'.encode()
    return f"/static/busker/hat.{hashlib.md5(content, usedforsecurity=False).hexdigest()[:12]}.css"


def test_below_supervisor(street: Street) -> None:
    """The same server with another manager: its door is another socket, and no request fails in a switch."""
    deploy(street, stage="asgi")
    street.acts["busker"]["packages"] = ["supervisor"]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow, chats(street) as talked:
        street.sesses["busker"] = {"processes": 2, "stage": "asgi", "manager": "supervisor"}
        plan = street.play("site")
        restart(street, "busker", 3)
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    assert_back_at_once(talked, 3 + 1)
    assert "play sess busker (manager: default -> supervisor)" in plan
    assert street.play() == []
    assert street.try_to_play("status").printed.count("busker: playing") == len(street.hosts)
    for host, sess in zip(street.hosts, street.live("busker")):
        assert host.sh("ls /etc/supervisor/conf.d") == f"backstage.stages.busker.{sess}.conf\n"
        assert host.sh(f"stat -c '%U:%G %a' {ACTS}/busker/live/door/h") == "root:www-data 660\n"
        assert host.sh("ls /etc/systemd/system | grep '^backstage.stages' || true") == ""


@pytest.mark.parametrize("name", ["gunicorn: worker", "gunicorn: master"])
def test_kill_9_below_supervisor(street: Street, name: str) -> None:
    """The worker is back by gunicorn, and the whole server by supervisor."""
    which = "-o" if name.endswith("master") else "-n"
    with street.visited(f"{SQUARE}/") as seen:
        for host in street.hosts:
            host.sh(f"kill -9 $(pgrep {which} -u stages-busker -f gunicorn)")
        assert within(60, lambda: {answer.status for answer in street.ask(CORNER)} == {200})
    pleased(seen, SQUARE)


def test_from_supervisor_to_uwsgi_and_a_rollback(street: Street) -> None:
    """The earlier release plays by the kind that it was built for, and by the kind's own manager."""
    del street.acts["busker"]["packages"]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        deploy(street)
        street.play("rollback", act="busker")
        for host, sess in zip(street.hosts, street.live("busker")):
            assert json.loads(host.read(f"{ACTS}/busker/sesses/{sess}/sess.json"))["stage"] == "asgi"
        street.play(backstage_unhold=["busker"])
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    for host in street.hosts:
        assert host.sh("ls /etc/supervisor/conf.d") == ""


@pytest.fixture(scope="module", params=["h1", "h2"])
def stranger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    return Stranger(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize(("evil", "victim"), [("gunicorn", "gunicorn"), ("gunicorn", "uwsgi"), ("uwsgi", "gunicorn")])
def test_an_act_is_denied_everything_of_another(stranger: Stranger, evil: str, victim: str) -> None:
    """Root is not, so each attempt would succeed without the protection."""
    sesses = [{"act": "evil", "stage": evil}, {"act": "victim", "stage": victim}]
    run = stranger.house.play(backstage_sesses=sesses)
    assert run.code == 0, run.printed[-3000:]
    stranger.settle()
    found = stranger.run(PROBE.read_text(), *stranger.subjects())
    assert found["uid"] == stranger.uid("jazz-evil")
    assert [name for name, said in found["found"].items() if said == "allowed"] == []
    assert len(found["found"]) >= 90
    stranger.host.write("/opt/hostile/probe.py", PROBE.read_text(), "644")
    of_root = stranger.host.script_at("/opt/hostile/probe.py", *stranger.subjects())["found"]
    denied = {name for name, said in of_root.items() if said != "allowed"}
    assert {name for name in denied if stranger.has_ptrace or not name.startswith("process's ")} == set()
