# SPDX-License-Identifier: GPL-3.0-or-later
"""No visitor notices that another Sess plays, except by what it plays."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from street import CORNER, FIRST_KEY, SECOND_KEY, SQUARE, THIRD_KEY, Street, pleased, read

SLOW = f"{CORNER}/slow/?seconds=1.5"


def style(edition: str) -> str:
    """Where Django puts an edition's style sheet: its name holds a hash of its content."""
    content = f'body {{ content: "edition {edition}"; }}\n'.encode()
    return f"/static/busker/hat.{hashlib.md5(content, usedforsecurity=False).hexdigest()[:12]}.css"


def statuses(street: Street, *editions: str) -> list[list[int]]:
    """What each host answers for the style sheets of these editions."""
    answers = [street.ask(CORNER, style(edition)) for edition in editions]
    return [[answer.status for answer in on_host] for on_host in zip(*answers)]


def fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


@contextmanager
def process_lists(street: Street) -> Iterator[list[str]]:
    """What `ps` shows everybody on the hosts, again and again meanwhile."""
    script = "while read -t 0.05 line; [ $? -gt 128 ]; do ps axeww; done"
    command = ("runuser", "-u", "www-data", "--", "bash", "-c", script)
    pipe = subprocess.PIPE
    watches = [subprocess.Popen(host.command(*command), stdin=pipe, stdout=pipe, text=True) for host in street.hosts]
    said: list[str] = []
    try:
        yield said
    finally:
        said += [watch.communicate("")[0] for watch in watches]


def test_new_code(street: Street) -> None:
    """Visitors read the old edition, then the new one, and never the old one again; slow requests end as they began."""
    street.acts["busker"]["source"]["version"] = "v2"
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        plan = street.play()
    assert {"build act busker", "play sess busker (release)"} <= set(plan)
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    assert read(seen, CORNER, "edition") == read(slow, CORNER, "edition") == [["one", "two"]] * 2
    assert read(seen, SQUARE, "edition") == [["one"]] * 2


def test_a_new_secret_is_a_switch_without_a_build(street: Street) -> None:
    """The old value is gone from the disk after it (fault_55); neither was ever seen by another user (fault_52)."""
    street.acts["busker"]["secrets"]["SECRET_KEY"] = SECOND_KEY
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, process_lists(street) as lists:
        plan = street.play()
    assert plan == ["play sess busker (secret SECRET_KEY changed)"]
    pleased(seen, CORNER, SQUARE)
    assert read(seen, CORNER, "key") == [[fingerprint(FIRST_KEY), fingerprint(SECOND_KEY)]] * 2
    assert street.files_with(FIRST_KEY) == []
    acts = f"/srv/backstage/{street.production}/acts/busker"
    assert street.files_with(SECOND_KEY) == [f"{acts}/sesses/{sess}/env/SECRET_KEY" for sess in street.live("busker")]
    for said in lists:
        assert said.count("ps axeww") > 10
        assert FIRST_KEY not in said
        assert SECOND_KEY not in said


def test_other_limits(street: Street) -> None:
    """Whether they hold is the host's kernel's; it is told either way, and no visitor notices the change."""
    street.sesses["busker"]["limits"] = {"memory": "1G", "tasks": 200}
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen:
        plan = street.play()
    assert plan == ["play sess busker (limits.memory: none -> 1G, limits.tasks: none -> 200)"]
    pleased(seen, CORNER, SQUARE)
    said = street.try_to_play("status").printed
    for host in street.hosts:
        controllers = host.run("cat", "/sys/fs/cgroup/cgroup.controllers", check=False).split()
        held = "held by cgroup: memory 1G" if "memory" in controllers else "not held: memory 1G"
        assert f"limits: act busker: {held}" in said
    assert street.play() == []


def test_more_processes(street: Street) -> None:
    street.sesses["busker"]["processes"] = 3
    with street.visited(f"{CORNER}/") as seen, street.visited(SLOW) as slow:
        plan = street.play()
    assert plan == ["play sess busker (processes: 2 -> 3)"]
    pleased(seen, CORNER)
    pleased(slow, CORNER, requests=3)
    for host, sess in zip(street.hosts, street.live("busker")):
        assert host.run("ps", "-eo", "args=").count(f"street/busker/{sess} uWSGI worker") == 3


def test_a_rollback_has_todays_secret(street: Street) -> None:
    with street.visited(f"{CORNER}/", f"{SQUARE}/") as seen, street.visited(SLOW) as slow:
        plan = street.play("rollback", act="busker")
    assert plan == ["roll back sess busker (release)"]
    pleased(seen, CORNER, SQUARE)
    pleased(slow, CORNER, requests=3)
    assert read(seen, CORNER, "edition") == [["two", "one"]] * 2
    assert read(seen, CORNER, "key") == [[fingerprint(SECOND_KEY)] * 2] * 2


def test_a_run_leaves_a_held_release_alone(street: Street) -> None:
    live = street.live("busker")
    with street.visited(f"{CORNER}/") as seen:
        run = street.try_to_play()
    assert run.code == 0
    assert run.changed == 0
    assert "is held" in run.printed
    assert street.live("busker") == live
    pleased(seen, CORNER)
    assert read(seen, CORNER, "edition") == [["one"]] * 2


def test_a_new_secret_lands_while_a_release_is_held(street: Street) -> None:
    street.acts["busker"]["secrets"]["SECRET_KEY"] = THIRD_KEY
    with street.visited(f"{CORNER}/") as seen:
        plan = street.play()
    assert plan == ["play sess busker (secret SECRET_KEY changed)"]
    pleased(seen, CORNER)
    assert read(seen, CORNER, "edition") == [["one", "one"]] * 2
    assert read(seen, CORNER, "key") == [[fingerprint(SECOND_KEY), fingerprint(THIRD_KEY)]] * 2


def test_the_end_of_a_hold(street: Street) -> None:
    with street.visited(f"{CORNER}/") as seen:
        plan = street.play(backstage_unhold=["busker"])
    assert set(plan) == {"unhold act busker", "play sess busker (release)"}
    pleased(seen, CORNER)
    assert read(seen, CORNER, "edition") == [["one", "two"]] * 2


def test_static_files_of_kept_releases_answer_and_new_ones_not_before_the_switch(street: Street) -> None:
    assert statuses(street, "one", "two", "three") == [[200, 200, 404]] * 2
    street.acts["busker"]["source"]["version"] = "v3"
    with street.visited(CORNER + style("two")) as seen:
        street.play(through="build")
        assert statuses(street, "one", "two", "three") == [[200, 200, 404]] * 2
        street.play()
        assert statuses(street, "one", "two", "three") == [[200, 200, 200]] * 2
    pleased(seen, CORNER)


def test_fault_40_variables_arrive_byte_for_byte(street: Street) -> None:
    """Nothing in them is code to uWSGI, to a shell or to nginx (fault_40)."""
    values = {
        "LINES": "one\ntwo\n\nthree",
        "QUOTES": "'single' \"double\" `tick` \\back\\",
        "PERCENT": "%p %% %(name)s 100%",
        "EXPANSION": "$(X) ${HOME} $HOME",
        "INCLUSION": "@(exec://touch /tmp/executed) @(/etc/passwd)",
        "UNICODE": "Größe, 長さ, 🎷",
        "EMPTY": "",
        "SPACES": "  in front; # and = within",
        "LONG": "x" * 100_000,
    }
    street.acts["juggler"]["env"] = values
    odd = "@(exec://touch /tmp/executed)\n%s $(X) 'and' \"so\""
    street.acts["juggler"]["secrets"]["ODD"] = odd
    with street.visited(f"{SQUARE}/") as seen:
        street.play()
    pleased(seen, SQUARE)
    wanted = {**values, "ODD": odd}
    for answer in street.ask(SQUARE, "/variables/"):
        found = answer.json()
        assert {name: bytes.fromhex(found[name]).decode() for name in wanted} == wanted
    assert [host.ok("test -e /tmp/executed") for host in street.hosts] == [False, False]


def test_a_restart_is_another_sess_of_the_same_release(street: Street) -> None:
    before = street.live("busker")
    with street.visited(f"{CORNER}/") as seen, street.visited(SLOW) as slow:
        plan = street.play("restart", act="busker")
    assert plan == ["play sess busker (restart)"]
    pleased(seen, CORNER)
    pleased(slow, CORNER, requests=3)
    after = street.live("busker")
    assert [sess.partition(".")[0] for sess in after] == [sess.partition(".")[0] for sess in before]
    assert set(after).isdisjoint(before)


def test_what_was_stopped_stays_so_until_it_is_started(street: Street) -> None:
    """No deploy plays it, and its neighbour does not notice."""
    with street.visited(f"{SQUARE}/") as seen:
        assert street.play("stop", act="busker") == ["stop sess busker"]
        assert street.play("stop", act="busker") == []
        run = street.try_to_play()
        assert (run.code, run.changed) == (0, 0)
        assert "the playbook start plays it again" in run.printed
        assert street.live("busker") == ["", ""]
        assert [answer.status for answer in street.ask(CORNER)] == [502, 502]
        assert street.play("start", act="busker") == ["play sess busker (nothing plays)"]
        assert street.play("start", act="busker") == []
        assert street.play() == []
    assert [answer.status for answer in street.ask(CORNER)] == [200, 200]
    pleased(seen, SQUARE)
