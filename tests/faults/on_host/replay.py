#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules as Ansible sent them, run again and again on the host, to be killed at one write after another.

replay.py count CYCLE              play the cycle whole, and tell the writes of each operation
replay.py kill CYCLE OPERATION=N,N,..   at each of these writes: kill, look, run again, compare with the whole run
replay.py call NAME                one kept call; prints what it returned

A call is a folder in calls/ with the modules of one ansible-playbook: the first asks, the second, where the host
lacked a source, comes with it. A cycle is operations of which each begins where the one before it ended.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Iterator

import snapshot

PLACE = os.path.dirname(os.path.abspath(__file__))
ORDER = f"{PLACE}/order.json"
EVENTS = f"{PLACE}/events"
STATES = f"{PLACE}/states.json"
TAKES = f"{PLACE}/take"
ARRIVED = os.path.expanduser("~/.ansible/tmp")
LONGEST = 120
PRODUCTION = "killed"
VENUE = "shaky.example.org"
SETTLED = 3  # rounds after which as many releases are kept as will be


@dataclass(frozen=True)
class Operation:
    """One thing that a run does.

    Args:
        call: the kept call that does it.
        new: whether it is another release each time.
        plays: what the Venue has to say after it, and after a kill; empty where nobody need answer.
        again: the call that answers for a seed that was interrupted.
    """

    call: str
    new: bool = False
    plays: str = "take-"
    again: str = ""


CYCLES = {
    "coming and going": {
        "first deploy": Operation("deploy", plays="", again="again"),
        "removal": Operation("removal", plays=""),
    },
    "forth and back": {
        "redeploy": Operation("deploy", new=True),
        "rollback": Operation("rollback"),
    },
}


@dataclass
class Ended:
    """How a call ended."""

    killed: bool = False
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.killed or bool(self.result.get("failed"))


def call(name: str, take: int, at: int = 0) -> Ended:
    """Do what an ansible-playbook would: ask, and come again with what was missing. Killed at a write, where given."""
    folder = f"{PLACE}/calls/{name}"
    ended = module(f"{folder}/0", take, at)
    if ended.result.get("missing") and os.path.isdir(f"{folder}/1"):
        ended = module(f"{folder}/1", take, at - written() if at else 0)
    return ended


def module(folder: str, take: int, at: int) -> Ended:
    with open(f"{folder}/module", encoding="utf-8") as file:
        text = file.read().replace("take-0000", f"take-{take:04}")
    shutil.copytree(f"{folder}/shipped", ARRIVED, dirs_exist_ok=True)
    with open(ORDER, "w", encoding="utf-8") as file:
        json.dump({"at": at, "log": EVENTS}, file)
    done = subprocess.run(
        ["/usr/bin/python3"],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{PLACE}/watch"},
        timeout=LONGEST,
        check=False,
    )
    os.unlink(ORDER)
    shutil.rmtree(ARRIVED)
    os.makedirs(ARRIVED, 0o700)
    if done.returncode < 0:
        return Ended(killed=True)
    try:
        return Ended(result=json.loads(done.stdout))
    except ValueError:
        return Ended(result={"failed": True, "msg": done.stdout[-1000:] + done.stderr[-3000:]})


def events() -> list[str]:
    """The writes since the last time they were forgotten."""
    if not os.path.exists(EVENTS):
        return []
    with open(EVENTS, encoding="utf-8") as file:
        return [line.split(" ", 1)[1].rstrip("\n") for line in file]


def written() -> int:
    return len(events())


def forget() -> None:
    if os.path.exists(EVENTS):
        os.unlink(EVENTS)


def next_take(operation: Operation) -> int:
    """The number of the release that this operation is to play; kept on the host, so that none comes twice."""
    number = 0
    if os.path.exists(TAKES):
        with open(TAKES, encoding="utf-8") as file:
            number = int(file.read())
    if operation.new:
        number += 1
        with open(TAKES, "w", encoding="utf-8") as file:
            file.write(str(number))
    return number


def state() -> dict[str, Any]:
    """The host as it is, and what backstage_info says of it."""
    found = snapshot.take(PRODUCTION)
    names = snapshot.Names(PRODUCTION)
    info = call("info", 0).result
    acts = {name: {k: v for k, v in act.items() if k != "history"} for name, act in info.get("acts", {}).items()}
    played = {
        name: [line["release"] for line in act["history"] if line["event"] == "played"][-1:]
        for name, act in info.get("acts", {}).items()
    }
    told = {"acts": acts, "played": played, **{key: info.get(key) for key in ("sesses", "venues", "answers")}}
    flat = {f"backstage_info {key}": json.dumps(value, sort_keys=True) for key, value in snapshot.plain(told, names).items()}
    return {**found, "files": {**found["files"], **flat}}


def answer() -> str:
    """What the Venue says, or why it says nothing."""
    client = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    try:
        client.request("GET", "/", headers={"Host": VENUE})
        found = client.getresponse()
        return found.read().decode("utf-8", "replace") if found.status == 200 else str(found.status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        client.close()


def plays(operation: Operation) -> list[str]:
    said = answer()
    return [] if operation.plays in said else [f"{VENUE} says {said!r}"]


def whole(operation: Operation) -> dict[str, Any]:
    """An operation that nothing happens to: its writes, and the state that it ends in."""
    forget()
    ended = call(operation.call, next_take(operation))
    if ended.failed:
        raise SystemExit(f"{operation.call} fails by itself: {ended.result.get('msg')}")
    return {"events": events(), "state": state()}


def killed(operation: Operation, at: int, expected: dict[str, Any]) -> dict[str, Any]:
    """An operation killed at a write, and run again: what was wrong."""
    forget()
    take = next_take(operation)
    ended = call(operation.call, take, at)
    lines = events()
    found: dict[str, Any] = {"at": at, "line": lines[-1] if lines else "", "killed": ended.killed}
    problems = plays(operation) if ended.killed else []
    rerun = call(operation.call, take) if ended.killed else ended
    if operation.again and "was interrupted" in str(rerun.result.get("msg")):
        found["asked"] = True
        rerun = call(operation.again, take)
    if rerun.failed:
        problems.append(f"the next run fails: {rerun.result.get('msg')}")
    problems += plays(operation)
    problems += snapshot.differences(expected, state())
    return {**found, "problems": problems}


def kill(cycle: dict[str, Operation], points: dict[str, list[int]]) -> Iterator[dict[str, Any]]:
    """Each operation in its turn, killed at its next point, until no operation has one left."""
    with open(STATES, encoding="utf-8") as file:
        states = json.load(file)
    for round_number in range(max(map(len, points.values()))):
        for name, operation in cycle.items():
            due = points.get(name, [])[round_number : round_number + 1]
            began = time.monotonic()
            found = killed(operation, due[0] if due else 0, states[name])
            yield {"operation": name, "seconds": round(time.monotonic() - began, 2), **found}


def main(verb: str, *words: str) -> None:
    if verb == "call":
        print(json.dumps(call(words[0], 0).result))
        return
    cycle = CYCLES[words[0]]
    if verb == "count":
        if words[0] == "forth and back":
            whole(cycle["redeploy"])
        for _round in range(SETTLED):
            found = {name: whole(operation) for name, operation in cycle.items()}
        with open(STATES, "w", encoding="utf-8") as file:
            json.dump({name: one["state"] for name, one in found.items()}, file)
        print(json.dumps({name: one["events"] for name, one in found.items()}))
        return
    points = {name: [int(at) for at in ats.split(",") if at] for name, ats in (word.split("=") for word in words[1:])}
    for line in kill(cycle, points):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
