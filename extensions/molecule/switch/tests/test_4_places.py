# SPDX-License-Identifier: GPL-3.0-or-later
"""Acts below a path, at several Venues and on a port of the host are added, moved and removed. No request fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from street import CORNER, SOURCE, SQUARE, Street, pleased, read

PARK = "park.example.com"
PORT, OTHER_PORT = 8101, 8102
NOBODY = (0, "ConnectionRefusedError")
# the settings of busker name an absolute STATIC_URL, which only one Act of a Venue can have
BELOW = "from .settings import *\nSTATIC_URL = 'static/'\n"
LOCAL = """
import http.client, json, sys
client = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=10)
try:
    client.request("GET", "/mime/" + sys.argv[3], headers={"Host": "localhost:" + sys.argv[2]})
    answer = client.getresponse()
    print(json.dumps([answer.status, answer.read().decode()]))
except OSError as error:
    print(json.dumps([0, type(error).__name__]))
"""
TAKEN = f"""
nohup python3 -m http.server {OTHER_PORT} --bind 127.0.0.1 >/dev/null 2>&1 &
echo $! >/run/taken.pid; for try in $(seq 300); do ss -Hltn | grep -q :{OTHER_PORT} && break; sleep 0.1; done
"""


def at(act: str, venue: str, path: str) -> dict[str, str]:
    return {"act": act, "venue": venue, "path": path}


def locally(street: Street, address: str, port: int, page: str = "") -> list[tuple[int, str]]:
    """Ask from another service of each host, and return the answers."""
    said = [host.run("python3", "-c", LOCAL, address, str(port), page) for host in street.hosts]
    return [(found[0], found[1]) for found in map(json.loads, said)]


def acts(street: Street, venue: str, path: str) -> list[str]:
    """Return the Act that answers there on each host. Assert that the style sheet of its page is found."""
    found = []
    for answer in street.ask(venue, path):
        page = answer.json()
        statuses = [style.status for style in street.ask(venue, page["style"])]
        assert statuses == [200] * len(statuses), page["style"]
        found.append(page["act"])
    return found


def test_an_act_plays_at_two_venues_below_a_path(street: Street) -> None:
    """The root of the first Venue belongs to another Act."""
    street.acts["mime"] = {
        "source": dict(SOURCE),
        "settings": "busker.below",
        "application": "busker.wsgi:application",
        "files": [{"path": "busker/below.py", "content": BELOW}],
        "secrets": {"SECRET_KEY": "the-key-of-the-mime-5d0e"},
    }
    street.sesses["mime"] = {"processes": 2, "port": PORT}
    street.venues[PARK] = {}
    street.more_gigs = [at("mime", CORNER, "/mime"), at("mime", PARK, "/mime")]
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        plan = street.play()
    assert {"listen sess mime", f"book gig mime at {CORNER}/mime", f"book gig mime at {PARK}/mime"} <= set(plan)
    pleased(seen, CORNER, SQUARE)
    for venue in (CORNER, PARK):
        assert acts(street, venue, "/mime/") == ["mime"] * 2
        assert [answer.headers["Location"] for answer in street.ask(venue, "/mime?a=b")] == ["/mime/?a=b"] * 2
    assert acts(street, CORNER, "/") == ["busker"] * 2
    assert [answer.status for answer in street.ask(PARK, "/")] == [404] * 2
    assert street.try_to_play().changed == 0


def test_only_the_host_reaches_the_port_of_an_act(street: Street) -> None:
    for address in ("127.0.0.1", "::1", "localhost"):
        for status, text in locally(street, address, PORT):
            assert (status, json.loads(text)["act"]) == (200, "mime")
            style = json.loads(text)["style"].removeprefix("/mime/")
            assert [found[0] for found in locally(street, address, PORT, style)] == [200] * 2
    outside = [host.run("hostname", "-I").split()[0] for host in street.hosts]
    for address in outside:
        assert locally(street, address, PORT) == [NOBODY] * 2


def test_fault_24_a_port_of_another_process_is_refused(street: Street) -> None:
    """The run names the process before it changes anything. The process and the Act go on."""
    live = street.live("mime")
    for host in street.hosts:
        host.sh(TAKEN)
    street.sesses["mime"]["port"] = OTHER_PORT
    try:
        with street.visited(f"{CORNER}/") as seen:
            run = street.try_to_play()
    finally:
        were_there = [host.ok("kill $(cat /run/taken.pid)") for host in street.hosts]
    assert were_there == [True] * 2
    assert run.code != 0
    assert f"port {OTHER_PORT} of this host belongs to python3 (process " in run.message
    assert street.live("mime") == live
    assert [found[0] for found in locally(street, "127.0.0.1", PORT)] == [200] * 2
    pleased(seen, CORNER)
    plan = street.play()
    assert "listen sess mime" in plan
    assert [found[0] for found in locally(street, "127.0.0.1", OTHER_PORT)] == [200] * 2
    assert locally(street, "127.0.0.1", PORT) == [NOBODY] * 2


def test_a_move_to_another_path(street: Street) -> None:
    """The Act answers at the old path until it answers at the new one. No other Act answers at either path."""
    street.more_gigs = [at("mime", CORNER, "/statue"), at("mime", PARK, "/statue")]
    with moving(street, f"{PARK}/mime/", f"{PARK}/statue/"), street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        plan = street.play()
    assert {f"move gig mime at {CORNER}/statue", f"move gig mime at {PARK}/statue"} <= set(plan)
    pleased(seen, CORNER, SQUARE)
    assert read(seen, CORNER, "act") == [["busker"] * len(pages) for pages in read(seen, CORNER, "act")]
    for venue in (CORNER, PARK):
        assert acts(street, venue, "/statue/") == ["mime"] * 2
        assert [answer.status for answer in street.ask(venue, "/mime/")] == [404] * 2
    # pages that visitors loaded before still find their images
    style = street.ask(PARK, "/statue/")[0].json()["style"].replace("/statue/", "/mime/")
    assert [answer.status for answer in street.ask(PARK, style)] == [200] * 2
    assert street.try_to_play().changed == 0


@contextmanager
def moving(street: Street, old: str, new: str) -> Iterator[None]:
    """Meanwhile ask at both paths. Each answer must be the Act's, or say that nothing is there."""
    with street.visited(old) as before, street.visited(new) as after:
        yield
    for crowd in (before, after):
        for seen in crowd:
            assert len(seen[PARK].pages) <= 2
            assert {line.partition(" ")[2] for line in seen[PARK].failed} <= {"404"}
            assert seen[PARK].requests > 50
            assert all('"act": "mime"' in page for page in seen[PARK].pages)


def test_a_static_url_of_another_act_is_refused(street: Street) -> None:
    """Only the build shows that both Acts use /static/. The first Act keeps it, and the other one stays as it was."""
    live = street.live("mime")
    street.acts["mime"]["files"] = [{"path": "busker/below.py", "content": "from .settings import *\n"}]
    with street.visited(f"{CORNER}/", f"{PARK}/statue/") as seen:
        run = street.try_to_play()
    street.acts["mime"]["files"] = [{"path": "busker/below.py", "content": BELOW}]
    assert run.code != 0
    assert f"the URL /static/ at {CORNER} belongs to the Act busker already" in run.message
    assert street.live("mime") == live
    pleased(seen, CORNER, PARK)


def test_static_urls_that_django_does_not_know(street: Street) -> None:
    """Each release has its own files. After a switch, those of the new and of the old release are served."""
    for edition in ("one", "two"):
        street.acts["mime"]["build"] = ["mkdir dist", f"touch dist/{edition}.js"]
        street.acts["mime"]["static_urls"] = [{"url": "/bundle/", "root": "dist"}]
        with street.visited(f"{CORNER}/", f"{PARK}/statue/") as seen:
            street.play()
        pleased(seen, CORNER, PARK)
    for venue in (CORNER, PARK):
        found = {name: [answer.status for answer in street.ask(venue, f"/bundle/{name}.js")] for name in ("one", "two")}
        assert found == {"one": [200, 200], "two": [200, 200]}
    assert [answer.status for answer in street.ask(PARK, "/bundle/three.js")] == [404] * 2


def test_prune_removes_an_act_with_its_port(street: Street) -> None:
    """The Act at the root has the whole Venue again."""
    for nouns in (street.acts, street.sesses):
        del nouns["mime"]
    street.venues.pop(PARK)
    street.more_gigs = []
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        plan = street.play(backstage_prune=True, backstage_delete_data=["mime"])
    assert {f"cancel gig mime at {CORNER}/statue", "unlisten sess mime", "remove act mime"} <= set(plan)
    pleased(seen, CORNER, SQUARE)
    assert locally(street, "127.0.0.1", OTHER_PORT) == [NOBODY] * 2
    assert [answer.status for answer in street.ask(CORNER, "/statue/")] == [404] * 2
    assert street.try_to_play().changed == 0
