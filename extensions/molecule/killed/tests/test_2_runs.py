# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers and holders of a lock that are killed, runs at the same time, and a host that reboots during a run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from faults.controller import Running
from faults.house import House
from faults.killing import FULL, PLAYS, SHAKY, VENUE

SECRETS = ("steady-secret-key-of-a-test", "shaky-secret-key-of-a-test")
SWITCH = "os.rename .*/acts/shaky/live$"
STEADY = "steady.example.org/"


def take(name: str) -> dict[str, dict[str, object]]:
    """Return the changes for another release of "shaky"."""
    files = [{"path": "band/take.py", "content": f"TAKE = {name!r}\n"}]
    return {**PLAYS, "acts": {"shaky": {**SHAKY, "files": files}}}


def start_and_stop(house: House, match: str, name: str) -> Running:
    """Start a run, and wait until its module has stopped at the first write that matches."""
    house.stop_at(match)
    running = house.start(watched=True, **take(name))
    house.stopped()
    return running


def converged(house: House, name: str) -> None:
    """Assert that this release plays, that a second run changes nothing, and that no leftovers are there."""
    run = house.play(**take(name))
    assert run.code == 0, run.message
    again = house.play(**take(name))
    assert (again.code, again.changed) == (0, 0), again.last.get("plan")
    assert name in house.get(VENUE)["page"]
    assert house.leftovers() == []


@pytest.fixture(autouse=True)
def one_that_plays(house: House) -> Iterator[None]:
    """Play both Acts before each test, and let stopped modules go on after it."""
    assert house.play(**take("a first take")).code == 0
    yield
    house.go_on()


def test_fault_01_controller_killed_at_each_task(house: House) -> None:
    """At every task of the playbook site, and at the task of deploy that builds and plays."""
    with house.visitors(STEADY, f"{VENUE}/") as visitors:
        number, every = 1, 1 if FULL else 8
        while (run := house.start(playbook="site", kill_at_task=number, **take("killed at a task")).end()).code != 0:
            assert run.code < 0, run.printed
            number += every
        assert house.start(kill_at_task=1, **take("killed before the build")).end().code < 0
    assert number > 16, "site has more tasks than that"
    visitors.all_pleased()
    converged(house, "killed at the last task")


@pytest.mark.parametrize("match", ["subprocess.Popen .*/python$", SWITCH])
def test_fault_01_controller_killed_while_the_module_works(house: House, match: str) -> None:
    """The module ends by itself, before or after the switch. The next run waits for its end."""
    with house.visitors(STEADY, f"{VENUE}/") as visitors:
        running = start_and_stop(house, match, "nobody waits for this")
        running.kill()
        following = house.start(**take("the one after it"))
        time.sleep(2)
        house.signal("CONT")
        assert (run := following.end()).code == 0, run.message
    visitors.all_pleased()
    assert [page.split(":")[0] for page in visitors.seen[VENUE].pages] == [
        "shaky a first take",
        *(["shaky nobody waits for this"] if match == SWITCH else []),
        "shaky the one after it",
    ]
    converged(house, "the one after it")


BUILDS_SLOWLY = "sh -c 'sleep 300 & setsid sleep 300 & sh -c \"sleep 300; true\"'"
ENDS = [
    # (host, user, pipelining, the signal that ansible-playbook gets)
    ("h1", "root", "true", signal.SIGINT),
    ("h1", "roadie", "false", signal.SIGKILL),
    ("h2", "roadie", "true", signal.SIGINT),
    ("h2", "root", "false", signal.SIGKILL),
]


@pytest.mark.parametrize(("host", "user", "pipelining", "number"), ENDS)
def test_fault_30_run_ends_with_its_controller(
    houses: dict[str, House],
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    user: str,
    pipelining: str,
    number: signal.Signals,
) -> None:
    """Within seconds the module and its children are gone, its lock is free, and what it made is removed."""
    other = houses[host]
    other.host.put()
    assert (run := other.play(**take("a first take"))).code == 0, run.message
    monkeypatch.setenv("ANSIBLE_PIPELINING", pipelining)
    slow = take("it is never built")
    slow["acts"]["shaky"]["build"] = [BUILDS_SLOWLY]
    running = other.start("--user", user, **slow)
    builders = f"pgrep -u {other.production}_shaky -f '^sleep 300'"
    other.host.sh(f"for n in $(seq 3000); do [ $({builders} -c) -ne 3 ] || exit 0; sleep 0.1; done; exit 1")
    holder = other.host.read(f"{other.root}/.lock")
    pid, _of, by = holder.removeprefix("process ").split(" ", 2)
    assert by.startswith((f"{user}, from 10.", "roadie, from an address that this host does not show")), holder
    os.kill(running.process.pid, number)
    gone = f"[ ! -e /proc/{pid} ] && flock --nonblock {other.root}/.lock true && ! {builders}"
    assert other.within(10, lambda: other.host.ok(gone))
    assert running.end().code != 0
    assert other.leftovers() == []
    converged(other, "built after all")


def test_fault_10_environment_half_made(house: House) -> None:
    """An environment without its seal is made again, even if somebody has edited it."""
    changes = take("another environment")
    changes["acts"]["shaky"]["refresh"] = "half made"
    house.stop_at("os.rename .*/environments/[^/]*/environment.json")
    running = house.start(watched=True, **changes)
    house.stopped()
    house.signal("KILL")
    assert running.end().code != 0
    keys = "$(ls | grep -v unsealed)"
    half = house.host.sh(
        f"cd {house.root}/environments; for key in {keys}; do [ -e $key/environment.json ] || echo $key; done"
    ).split()
    assert len(half) == 1
    path = f"{house.root}/environments/{half[0]}"
    spoilt = f"{path}/lib/python3*/site-packages/django/__init__.py"
    house.host.sh(f"echo 'raise RuntimeError(\"edited by hand\")' >>$(ls {spoilt})")
    run = house.play(**changes)
    assert run.code == 0, run.message
    assert house.host.ok(f"test -e {path}/environment.json && ! grep -q 'edited by hand' {spoilt}")
    assert house.leftovers() == []


def test_fault_26_two_runs_of_one_act(house: House) -> None:
    """The second run names the holder of the lock, or waits for it, as its lock_timeout says."""
    first = start_and_stop(house, SWITCH, "the first of two")
    pid = house.host.sh("cat /opt/backstage-faults/stopped").strip()
    hasty = house.play(backstage_lock_timeout=1, **take("the hasty one"))
    assert hasty.code != 0
    assert hasty.message.startswith(f"lock on {house.host.name}: process {pid} of root, from 10."), hasty.message
    assert hasty.message.endswith(f" holds {house.root}/.lock; run again when it has ended, or raise lock_timeout")
    patient = house.start(**take("the second of two"))
    assert house.awaits_lock_within(60)
    time.sleep(7)  # more than the five seconds after which a wait is worth a warning
    assert patient.process.poll() is None
    house.signal("CONT")
    for running in (first, patient):
        run = running.end()
        assert run.code == 0, run.message
    waited = [warning for warning in run.last.get("warnings", []) if warning.startswith("waited ")]
    assert [f" for process {pid} of root, from 10." in warning for warning in waited] == [True], run.last
    converged(house, "the second of two")


def test_fault_26_two_productions_on_one_host(house: House) -> None:
    """Each has its own lock. The lock of the host is for nginx."""
    other = {
        "backstage_production": "other",
        "backstage_acts": [],
        "backstage_gigs": [],
        "backstage_venues": [{"name": "other.example.org"}],
    }
    house.stop_at("subprocess.Popen /usr/sbin/nginx")
    first = house.start(watched=True, **{**PLAYS, "venues": {VENUE: {"aliases": ["www." + VENUE]}}})
    house.stopped()
    second = house.start(**other)
    time.sleep(2)
    assert second.process.poll() is None
    house.signal("CONT")
    assert (run := first.end()).code == 0, run.message
    assert (run := second.end()).code == 0, run.message
    assert house.get("other.example.org")["status"] == 404
    assert house.get("www." + VENUE)["status"] == 301
    assert house.play(playbook="strike", backstage_production="other").code == 0


def test_fault_27_holder_of_the_lock_is_killed(house: House) -> None:
    first = start_and_stop(house, "os.rename .*/release.json$", "its run dies")
    second = house.start(**take("the heir"))
    time.sleep(2)
    assert second.process.poll() is None
    house.signal("KILL")
    assert house.within(30, lambda: second.process.poll() is not None)
    assert first.end().code != 0
    assert (run := second.end()).code == 0, run.message
    converged(house, "the heir")


def test_a_role_killed_before_nginx_accepted_its_files(house: House) -> None:
    """nginx keeps its loaded configuration. The next run restores the earlier files first."""
    note = "/etc/backstage/front_of_house.files.undo"
    with house.visitors(STEADY) as visitors:
        house.stop_at("os.rename .*/front_of_house.files$")
        running = house.start(playbook="site", watched=True, **{**PLAYS, "front_of_house_http_port": 70000})
        house.stopped()
        house.signal("KILL")
        assert running.end().code != 0
        assert house.host.ok(f"test -e {note} && ! nginx -t -q")
        assert (run := house.play(playbook="site", **PLAYS)).code == 0, run.message
        assert house.host.ok(f"test ! -e {note} && nginx -t -q")
        assert house.play(playbook="site", **PLAYS).changed == 0
    visitors.all_pleased()
    assert house.leftovers() == []


@pytest.mark.parametrize("match", ["subprocess.Popen .*/python$", SWITCH, "os.remove /etc/backstage/vassals/.*.ini$"])
def test_fault_84_reboot_in_mid_deploy(house: House, match: str) -> None:
    """Every Act answers with its last complete release within half a minute, and the next run converges."""
    running = start_and_stop(house, match, "interrupted")
    house.host.garage("reboot")
    began = time.monotonic()
    running.kill()
    for venue in (STEADY.rstrip("/"), VENUE):
        assert house.answers_within(venue, 30 - (time.monotonic() - began)), f"{venue} is dark"
    switched = "interrupted" in house.get(VENUE)["page"]
    # systemd lets a stopped process go on before it kills it, so at the switch either release may play
    assert match == SWITCH or switched == ("vassals" in match)
    converged(house, "interrupted")


def test_no_secret_is_left_behind(houses: dict[str, House], house: House) -> None:
    """After all these tests, in the directories where Ansible, its modules and their children put temporary files."""
    for one in houses.values():
        for secret in SECRETS:
            assert one.host.ok(f"grep -rqF {secret} {one.root}/acts"), "the test looks for something else"
            found = one.host.sh(f"grep -rlsF {secret} /root /tmp /var/tmp /run /home /var/log /etc", check=False)
            assert found == "", found
