# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of source, and every third-party Act, plays on hosts that reach nothing but the test index."""

from __future__ import annotations

import re
from typing import Any

import house
import make_acts
import probe
import pytest
from bed import Bed

testinfra_hosts = ["ansible://backstage_stage"]

PAGES = {
    "tag": "first plays",
    "branch": "second plays",
    "commit": "first plays",
    "key": "keyed plays",
    "archive-url": "archived plays",
    "archive-path": "archived plays",
    "package": "Revue, with 0 songs",
    "package-url": "Revue, with 0 songs",
    "path": "plain plays",
    "path-outside": "plain plays",
}
RECIPES = {"h1": ["mezzanine", "mailman-web"], "h2": ["polls", "wagtail", "chat"]}
JOBS = ["minutely", "quarter-hourly", "hourly", "daily", "weekly", "monthly", "yearly"]
REACH = """
import socket, sys
for place in sys.argv[1:]:
    address, _colon, port = place.rpartition(":")
    try:
        socket.create_connection((address, int(port)), 5).close()
        print(place)
    except OSError:
        pass
"""


def name(host: Any) -> str:
    return str(host.backend.get_hostname())


@pytest.mark.parametrize("act", PAGES)
def test_an_act_of_each_source_kind_plays(host: Any, bed: Bed, act: str) -> None:
    answer = house.ask(bed.addresses[name(host)], f"{act}.example.com")
    assert (answer.status, PAGES[act] in answer.text) == (200, True), answer.text[:500]


def test_a_third_party_act_answers_as_its_recipe_says(host: Any, bed: Bed) -> None:
    for act in RECIPES[name(host)]:
        url = f"http://{bed.addresses[name(host)]}"
        assert probe.failures(url, f"{act}.example.com", make_acts.load()[act]) == []


def test_an_act_that_nobody_here_wrote_with_a_queue_and_jobs_at_times(bed: Bed) -> None:
    """Mailman's web interface: its qcluster does a job, and runs every kind of its jobs by its timers."""
    host, play = bed.hosts["h1"], bed.controller("h1").play
    ask = "from django_q.tasks import async_task, result; print('done:', result(async_task('math.floor', 7.5), 60000))"
    assert "done: 7" in play("manage", act="mailman-web", run=f'shell -c "{ask}"').printed
    for name in JOBS:
        host.run("systemctl", "start", f"backstage.anything.mailman-web.{name}.service")
    status = play("status").printed
    assert "worker: act mailman-web, qcluster: working since " in status
    assert "not working" not in status
    for name in JOBS:
        assert re.search(rf"timer: act mailman-web, {name}, every \w+: runjobs \w+: ended with status 0, ", status), (
            status
        )


def test_equal_content_makes_one_release(host: Any) -> None:
    acts = house.acts(host, "anything")
    assert acts["tag"].release == acts["commit"].release != acts["branch"].release
    assert acts["path"].release == acts["path-outside"].release


def test_the_release_records_its_commit(host: Any, bed: Bed) -> None:
    release = house.acts(host, "anything")["tag"].release_root / "release.json"
    assert house.record(host, release)["inputs"]["source"]["content"] == bed.stock["commit"]


def test_acts_with_equal_requirements_share_an_environment(host: Any) -> None:
    acts = house.acts(host, "anything")
    shared = ["tag", "branch", "commit", "archive-url", "archive-path", "path", "path-outside"]
    keys = {house.record(host, acts[act].release_root / "release.json")["environment"] for act in shared}
    assert len(keys) == 1


def test_submodules_are_in_the_release(host: Any) -> None:
    code = house.acts(host, "anything")["key"].release_root / "code"
    assert host.file(str(code / "tune" / "tune.py")).exists


def test_the_host_reaches_no_other_server(host: Any, bed: Bed) -> None:
    supplies = bed.stock["url"].removeprefix("https://")
    other = bed.addresses["h1" if name(host) == "h2" else "h2"]
    places = [f"{supplies}:443", f"{other}:22", "pypi.org:443", "deb.debian.org:80", "github.com:443"]
    assert house.lines(host, "python3", "-c", REACH, *places) == [f"{supplies}:443"]
