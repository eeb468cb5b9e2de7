# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess sleeps while nobody asks, and one stands by for a rollback: no visitor waits longer than a start takes."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable

from street import CORNER, FIRST_KEY, SECOND_KEY, Street, pleased, read

IDLE = 5
MANY = 40
# waits until "live" was renamed; prints how long it took until the release of argv[2] answered, beyond the longest of
# many requests before, and without the time in which some process waited for a CPU
FIRST_ANSWER = """
import http.client, json, os, sys, time
live, release = sys.argv[1:]
before, over = os.readlink(live), time.monotonic() + 300
def ask():
    began = time.time()
    client = http.client.HTTPConnection("127.0.0.1", 80, timeout=30)
    client.request("GET", "/", headers={"Host": "corner.example.com"})
    answer = client.getresponse()
    return answer.status, json.loads(answer.read())["release"], time.time() - began
def waited():
    try:
        with open("/proc/pressure/cpu") as pressure:
            return int(pressure.readline().rpartition("total=")[2]) / 1e6
    except OSError:  # a kernel without PSI
        return 0.0
usual = max(ask()[2] for _try in range(50))
print("open", flush=True)
busy = waited()
while os.readlink(live) == before and time.monotonic() < over:
    busy = waited()
    time.sleep(0.001)
renamed = os.lstat(live).st_ctime
status, answered, _seconds = ask()
took = time.time() - renamed - (waited() - busy)
print(json.dumps({"ms": round(1000 * (took - usual), 1), "status": status, "old": answered == release}))
"""
AT_ONCE = """
import collections, http.client, json, sys, threading
found = []
def ask():
    client = http.client.HTTPConnection("127.0.0.1", 80, timeout=60)
    client.request("GET", sys.argv[2], headers={"Host": "corner.example.com"})
    found.append(client.getresponse().status)
threads = [threading.Thread(target=ask) for _number in range(int(sys.argv[1]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(collections.Counter(found)))
"""


def processes(street: Street) -> list[int]:
    """How many processes the Act has on each host; their titles begin with the Sess."""
    found = [host.run("pgrep", "-fc", f"^{street.production}/busker/", check=False) for host in street.hosts]
    return [int(said.split()[0]) for said in found]


def eventually(holds: Callable[[], bool]) -> None:
    """Within a minute, on a machine that may be busy with other tests."""
    for _try in range(120):
        if holds():
            return
        time.sleep(0.5)
    raise AssertionError("not within a minute")


def fallen_asleep(street: Street) -> bool:
    return processes(street) == [0, 0]


def asked_at_once(street: Street, count: int, path: str = "/") -> list[dict[str, int]]:
    return [json.loads(host.run("python3", "-c", AT_ONCE, str(count), path)) for host in street.hosts]


def test_a_sess_begins_to_sleep(street: Street) -> None:
    """Under the eyes of visitors; then nobody asks, and the first who does is answered."""
    street.sesses["busker"] = {"processes": 2, "state": "asleep", "idle": IDLE}
    with street.visited(f"{CORNER}/") as seen:
        plan = street.play()
    assert "idle: never -> 5" in next(line for line in plan if line.startswith("play"))
    pleased(seen, CORNER)
    assert street.play() == []
    eventually(lambda: fallen_asleep(street))
    said = street.try_to_play("status").printed
    assert f"http://{CORNER}/  asleep, not asked  open  busker: asleep, " in said
    assert "drift: act busker" not in said
    assert fallen_asleep(street), "status wakes nobody"
    assert [answer.status for answer in street.ask(CORNER)] == [200, 200]


def test_many_at_once_wake_it(street: Street) -> None:
    eventually(lambda: fallen_asleep(street))
    assert asked_at_once(street, MANY) == [{"200": MANY}] * 2


def test_a_request_may_take_longer_than_the_idle_time(street: Street) -> None:
    assert asked_at_once(street, 2, f"/slow/?seconds={IDLE + 4}") == [{"200": 2}] * 2


def test_a_sleeping_act_is_switched(street: Street) -> None:
    """While it sleeps; then under the eyes of visitors."""
    eventually(lambda: fallen_asleep(street))
    street.acts["busker"]["secrets"]["SECRET_KEY"] = SECOND_KEY
    assert street.play() == ["play sess busker (secret SECRET_KEY changed)"]
    eventually(lambda: fallen_asleep(street))
    assert [answer.status for answer in street.ask(CORNER)] == [200, 200]  # a visitor's patience is less than a start
    with street.visited(f"{CORNER}/") as seen:
        street.acts["busker"]["secrets"]["SECRET_KEY"] = FIRST_KEY
        street.play()
    pleased(seen, CORNER)
    eventually(lambda: fallen_asleep(street))
    doors = [
        host.run("sh", "-c", "ls /etc/backstage/vassals | grep -c 'street.*door$'").strip() for host in street.hosts
    ]
    assert doors == ["1", "1"]


def test_a_rollback_to_a_standby_is_a_rename(street: Street) -> None:
    """Nobody's request fails, and the first answer takes no tenth of a second more than any request."""
    street.sesses["busker"] = {"processes": 2, "standby": 10}
    street.play()
    old = [sess.partition(".")[0] for sess in street.live("busker")]
    # another release with the same variables: a standby with other variables than those of today is not used
    street.acts["busker"]["build"] = ["true"]
    with street.visited(f"{CORNER}/") as seen:
        street.play()
    pleased(seen, CORNER)
    assert street.play() == [], "what stands by stays"
    assert "standby: act busker: release " in street.try_to_play("status").printed
    live = f"/srv/backstage/{street.production}/acts/busker/live"
    watches = [
        subprocess.Popen(host.command("python3", "-c", FIRST_ANSWER, live, release), stdout=subprocess.PIPE, text=True)
        for host, release in zip(street.hosts, old)
    ]
    assert [watch.stdout.readline() for watch in watches if watch.stdout] == ["open\n"] * 2
    with street.visited(f"{CORNER}/") as seen:
        plan = street.play("rollback", act="busker")
    assert plan == ["roll back sess busker (release, its Sess stands by)"]
    answers = [json.loads(watch.communicate()[0]) for watch in watches]
    assert [(answer["status"], answer["old"]) for answer in answers] == [(200, True)] * 2
    assert max(answer["ms"] for answer in answers) < 100, answers
    pleased(seen, CORNER)
    assert [releases[-1] for releases in read(seen, CORNER, "release")] == old
    assert [len(releases) for releases in read(seen, CORNER, "release")] == [2, 2]
    assert [sess.partition(".")[0] for sess in street.live("busker")] == old
    assert street.try_to_play().changed == 0


def test_systemd_ends_a_standby(street: Street) -> None:
    """Its processes go without a run; the next run removes the rest."""
    street.acts["busker"]["build"] = ["true", "true"]
    street.play()
    timers = "systemctl list-units --all --plain --no-legend 'backstage-standby-*.timer'"
    for host in street.hosts:
        (unit,) = [line.split()[0] for line in host.run("sh", "-c", timers).splitlines()]
        host.run("systemctl", "start", unit.replace(".timer", ".service"))
    eventually(lambda: processes(street) == [3, 3])
    assert street.play() == ["sweep sess busker"]
    assert street.play() == []
