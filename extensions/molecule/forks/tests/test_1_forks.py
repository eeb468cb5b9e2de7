# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers are forks of a process that has loaded the Act: its open connections, threads and daemons."""

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
    """A connection pool was open before the fork. Every answer holds the row of its own request."""
    for host in forked.hosts:
        host.write("/run/ask.py", ASK)
        answers = json.loads(host.run("/usr/bin/python3", "/run/ask.py"))
        assert [answer["number"] for answer in answers] == [answer["asked"] for answer in answers]
        assert len({answer["pid"] for answer in answers}) == 2


def test_a_thread_that_the_fork_lost_is_named(forked: Forked) -> None:
    """The gate has asked every worker, and the run names the thread that workers don't have."""
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
    """The daemon of the old Sess ends with it. The daemon of the new Sess runs on."""
    assert [[line for line in found if "sleep" in line] for found in forked.processes("crowd")] == [["sleep 3600"]] * 2
    old = forked.live("crowd")
    forked.act("crowd")["env"] = {"TAKE": "3"}
    run = forked.plays()
    for sess, found in zip(old, forked.warned(run)):
        assert [text.rpartition(" ")[0] for text in found if "left" in text] == [
            f"act crowd: Sess {sess} left processes, which were killed: sleep (pid"
        ]
    assert [[line for line in found if "sleep" in line] for found in forked.processes("crowd")] == [["sleep 3600"]] * 2


def test_no_process_of_an_act_runs_after_stop(forked: Forked) -> None:
    """Except a process that an administrator runs as its user."""
    unit = "systemd-run --quiet --unit=own --uid=forked-crowd sleep 3601"
    for host in forked.hosts:
        host.sh(f"{unit}; while ! pgrep -u forked-crowd -f 'sleep 3601'; do sleep 0.1; done")
    forked.manifest["backstage_gigs"] = [gig for gig in forked.manifest["backstage_gigs"] if gig["act"] != "crowd"]
    forked.manifest["backstage_sesses"] = [{"act": "crowd", "state": "stopped"}]
    forked.plays()
    assert forked.processes("crowd") == [["/usr/bin/sleep 3601"]] * 2
    for host in forked.hosts:
        host.sh("systemctl stop own")
