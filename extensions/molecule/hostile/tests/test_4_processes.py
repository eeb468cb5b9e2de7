# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that an Act left running end with its build, with the Act, and before its user is removed."""

from __future__ import annotations

from hostile.stranger import Stranger

DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 3)
        os.execvp("sleep", ["sleep", "4711"])
    os._exit(0)
os.wait()
"""


def sleepers(stranger: Stranger) -> list[str]:
    return stranger.host.sh("ps -eo user:32=,args= | grep '[s]leep 4711' || true").splitlines()


def test_a_daemon_of_the_builder_ends_with_the_build(stranger: Stranger) -> None:
    assert stranger.play("evil", files={"orders.py": DAEMON}, env={"ROUND": "daemon"}).code == 0
    assert sleepers(stranger) == []


def test_a_daemon_of_the_player_ends_with_the_act(stranger: Stranger) -> None:
    stranger.run(DAEMON + "print('{}')")
    assert stranger.house.within(10, lambda: len(sleepers(stranger)) == 1)  # it is sleep when it has called exec
    assert stranger.play("evil", state="absent").code == 0
    assert sleepers(stranger) == []
    assert stranger.play("evil").code == 0


def test_no_process_of_a_user_runs_when_it_is_removed(stranger: Stranger) -> None:
    stranger.run(DAEMON + "print('{}')")
    assert stranger.house.within(10, lambda: len(sleepers(stranger)) == 1)  # it is sleep when it has called exec
    uid = stranger.uid("jazz-evil")
    assert stranger.play("evil", state="absent", delete_data=True).code == 0
    assert sleepers(stranger) == []
    assert stranger.host.sh(f"getent passwd {uid} || true") == ""
    assert stranger.play("evil").code == 0
