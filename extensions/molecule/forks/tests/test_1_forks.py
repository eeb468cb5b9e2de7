# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers are forks of one process that has loaded the Act: what was open or running then."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Forked

ASK = """
import concurrent.futures, json, urllib.request

def ask(number):
    url = f"http://127.0.0.1/{number}/"
    request = urllib.request.Request(url, headers={"Host": "choir.example.com"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return {"asked": number, **json.load(answer)}

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(json.dumps(list(pool.map(ask, range(48)))))
"""
LOST = "act crowd: the thread 'warm-up' was started while the Act was loaded, and does not live in the workers"


def test_two_workers_share_no_connection(forked: Forked) -> None:
    """A pool that was open before the fork: every answer holds the row that its own request asked for."""
    for host in forked.hosts:
        host.write("/run/ask.py", ASK)
        answers = json.loads(host.run("/usr/bin/python3", "/run/ask.py"))
        assert [answer["number"] for answer in answers] == [answer["asked"] for answer in answers]
        assert len({answer["pid"] for answer in answers}) == 2


def test_a_thread_at_the_fork(forked: Forked) -> None:
    """All workers answer, which the gate has seen, and the thread that is not there is named."""
    forked.act("crowd")["env"] = {"TAKE": "2"}
    old = forked.processes("crowd")
    run = forked.plays()
    assert [[text for text in found if text.startswith(LOST)] == found[:1] for found in forked.warned(run)] == [
        True
    ] * 2
    for host, sess, before in zip(forked.hosts, forked.live("crowd"), old):
        titles = host.sh("ps -o args= -u forked-crowd").splitlines()
        assert len([title for title in titles if re.match(rf"forked/crowd/{sess} uWSGI worker \d", title)]) == 2
        assert [line for line in before if "sleep 3600" in line] == ["sleep 3600"]


def test_a_daemon_ends_with_its_sess(forked: Forked) -> None:
    """That of the old Sess is gone with it; the new one's own goes on."""
    assert [[line for line in found if "sleep" in line] for found in forked.processes("crowd")] == [["sleep 3600"]] * 2
    old = forked.live("crowd")
    forked.act("crowd")["env"] = {"TAKE": "3"}
    run = forked.plays()
    for sess, found in zip(old, forked.warned(run)):
        assert [text.rpartition(" ")[0] for text in found if "left" in text] == [
            f"act crowd: Sess {sess} left processes, which were killed: sleep (pid"
        ]
    assert [[line for line in found if "sleep" in line] for found in forked.processes("crowd")] == [["sleep 3600"]] * 2


def test_nothing_of_an_act_runs_after_it_was_stopped(forked: Forked) -> None:
    """But what an administrator runs as its user."""
    unit = "systemd-run --quiet --unit=own --uid=forked-crowd sleep 3601"
    for host in forked.hosts:
        host.sh(f"{unit}; while ! pgrep -f 'sleep 3601'; do sleep 0.1; done")
    forked.manifest["backstage_gigs"] = [gig for gig in forked.manifest["backstage_gigs"] if gig["act"] != "crowd"]
    forked.manifest["backstage_sesses"] = [{"act": "crowd", "state": "stopped"}]
    forked.plays()
    assert forked.processes("crowd") == [["/usr/bin/sleep 3601"]] * 2
    for host in forked.hosts:
        host.sh("systemctl stop own")
