# SPDX-License-Identifier: GPL-3.0-or-later
"""Call modules again on the host as Ansible sent them, and kill them at one write after another.

replay.py call NAME                      run one kept call, and print what it returned
replay.py count CYCLE                    run the whole cycle, and print the writes of each operation
replay.py kill CYCLE OPERATION=POINT,..  at each point: kill, look, run again, and compare with the whole run

A call is a folder in calls/ with the modules of one ansible-playbook. The first module asks. If the host lacks a
source, the second one brings it. In a cycle, each operation begins where the one before it ended. A point is the number
of a write, or the name of a step (STEPS) during which the module is killed.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Callable

import get
import snapshot

PLACE = os.path.dirname(os.path.abspath(__file__))
ORDER = f"{PLACE}/order.json"
EVENTS = f"{PLACE}/events"
TAKES = f"{PLACE}/take"
ARRIVED = os.path.expanduser("~/.ansible/tmp")
LONGEST = 120
PRODUCTION = "killed"
ROOT = f"/srv/backstage/{PRODUCTION}"
VENUE = "shaky.example.org"

# What exists only while a child of the module works at a step.
STEPS = {
    "unpack": f"{ROOT}/acts/shaky/releases/*/code/*",
    "environment": f"{ROOT}/environments/*/bin/python",
    "collectstatic": f"{ROOT}/acts/shaky/releases/*/static/band",
    "migrate": f"{ROOT}/acts/shaky/data/band.sqlite3*",
    "dump": f"{ROOT}/acts/shaky/dumps/*/*.sqlite3",
    "copy": f"{ROOT}/acts/shaky/data/.backstage-dump",
    "start": f"{ROOT}/acts/shaky/sesses/*/door/s",
    "work": f"{ROOT}/acts/shaky/sesses/*/crew/said/*.json",
}


@dataclass(frozen=True)
class Operation:
    """One operation of a run.

    Args:
        call: the kept call that does it.
        new: whether it is another release each time.
        plays: what the page of the Venue must hold all the time; empty if nothing has to answer.
        again: the call that answers for a seed that was interrupted.
    """

    call: str
    new: bool = False
    plays: str = "take-"
    again: str = ""


@dataclass(frozen=True)
class Cycle:
    """Operations in their order, and the number of rounds after which the number of kept releases stays the same."""

    operations: dict[str, Operation]
    begin: tuple[str, ...] = ()
    settle: int = 1


CYCLES = {
    "coming and going": Cycle(
        {
            "first deploy": Operation("deploy", plays="", again="again"),
            "removal": Operation("removal", plays=""),
        },
        begin=("removal",),
    ),
    "forth and back": Cycle(
        {"redeploy": Operation("deploy", new=True), "rollback": Operation("rollback")}, begin=("deploy",), settle=3
    ),
    "another environment": Cycle(
        {"redeploy with its environment": Operation("environment", new=True)}, begin=("deploy",), settle=3
    ),
    "migrated and restored": Cycle(
        {"redeploy with a dump": Operation("migrating", new=True), "restore": Operation("restore", plays="")},
        begin=("base",),
        settle=3,
    ),
    "a company": Cycle({"workers come": Operation("crewed"), "workers go": Operation("deploy")}, begin=("deploy",)),
}


@dataclass
class Ended:
    """How a call ended."""

    killed: bool = False
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.killed or bool(self.result.get("failed"))

    @property
    def message(self) -> str:
        return str(self.result.get("msg", ""))


def call(name: str, take: int = 0, point: str = "") -> Ended:
    """Do what ansible-playbook does: ask, then call again with the missing source. Kill it at a point, if given."""
    folder = f"{PLACE}/calls/{name}"
    ended = module(f"{folder}/0", take, point)
    if ended.result.get("missing") and os.path.isdir(f"{folder}/1"):
        ended = module(f"{folder}/1", take, str(int(point) - len(events())) if point.isdigit() else point)
    return ended


def module(folder: str, take: int, point: str) -> Ended:
    with open(f"{folder}/module", encoding="utf-8") as file:
        text = file.read().replace("take-0000", f"take-{take:04}")
    shutil.copytree(f"{folder}/shipped", ARRIVED, dirs_exist_ok=True)
    with open(ORDER, "w", encoding="utf-8") as file:
        json.dump({"at": int(point) if point.isdigit() else 0, "log": EVENTS}, file)
    try:
        return interpreted(text, STEPS.get(point, ""))
    finally:
        os.unlink(ORDER)
        shutil.rmtree(ARRIVED)
        os.makedirs(ARRIVED, 0o700)


def interpreted(text: str, sign: str) -> Ended:
    """Have Python read a module from standard input, as with pipelining. Kill it when the sign appears."""
    before = set(glob.glob(sign))
    child = subprocess.Popen(
        ["/usr/bin/python3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{PLACE}/watch"},
    )
    if sign:
        child.stdin.write(text)
        child.stdin.close()
        child.stdin = None
        wait(lambda: child.poll() is not None or bool(set(glob.glob(sign)) - before), 0.002)
        child.kill()
        text = None
    try:
        out, err = child.communicate(text, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return Ended(result={"failed": True, "msg": f"it takes longer than {LONGEST} s"})
    if child.returncode < 0:
        return Ended(killed=True)
    try:
        return Ended(result=json.loads(out))
    except ValueError:
        return Ended(result={"failed": True, "msg": out[-1000:] + err[-3000:]})


def wait(until: Callable[[], bool], pause: float, timeout: float = LONGEST) -> bool:
    deadline = time.monotonic() + timeout
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def events() -> list[str]:
    """Return the writes since the last call of forget."""
    if not os.path.exists(EVENTS):
        return []
    with open(EVENTS, encoding="utf-8") as file:
        return [line.split(" ", 1)[1].rstrip("\n") for line in file]


def forget() -> None:
    if os.path.exists(EVENTS):
        os.unlink(EVENTS)


def next_take(operation: Operation) -> int:
    """Return the number of the release to play. It is kept on the host, so that no number is used twice."""
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
    """Return the state of the host, and what backstage_info returns."""
    found = snapshot.take(PRODUCTION)
    names = snapshot.Names(PRODUCTION)
    info = call("info").result
    # after a kill there may be one dump more: the first and the last of a release stay
    left_out = ("history", "dumps")
    acts = {name: {k: v for k, v in act.items() if k not in left_out} for name, act in info.get("acts", {}).items()}
    played = {
        name: [line["release"] for line in act["history"] if line["event"] == "played"][-1:]
        for name, act in info.get("acts", {}).items()
    }
    told = {"acts": acts, "played": played, **{key: info.get(key) for key in ("sesses", "venues", "answers")}}
    flat = {
        f"backstage_info {key}": json.dumps(value, sort_keys=True) for key, value in snapshot.plain(told, names).items()
    }
    return {**found, "files": {**found["files"], **flat}}


def answer() -> str:
    """Return the page of the Venue, or why there is none."""
    found = get.get(VENUE, "/")
    return str(found["page"] if found["status"] in (0, 200) else found["status"])


def plays(operation: Operation, when: str) -> list[str]:
    said = answer()
    return [] if operation.plays in said else [f"{when} {VENUE} says {said!r}"]


def builders() -> list[str]:
    """Return the processes that should have ended with the module."""
    names = snapshot.Names(PRODUCTION)
    return [line for line in snapshot.processes(PRODUCTION, names) if line.startswith(f"{PRODUCTION}_")]


def whole(operation: Operation) -> dict[str, Any]:
    """Run an operation without killing it, and keep its writes and the state afterwards."""
    forget()
    ended = call(operation.call, next_take(operation))
    if ended.failed:
        raise SystemExit(f"{operation.call} fails by itself: {ended.message}")
    return {"events": events(), "state": state()}


def count(name: str) -> dict[str, list[str]]:
    """Run a cycle until each round is the same, keep the states, and return the writes."""
    cycle = CYCLES[name]
    clear_up()
    for first in cycle.begin:
        whole(Operation(first, new=True))
    for _round in range(cycle.settle):
        found = {operation: whole(one) for operation, one in cycle.operations.items()}
    with open(states(name), "w", encoding="utf-8") as file:
        json.dump({operation: one["state"] for operation, one in found.items()}, file)
    return {operation: one["events"] for operation, one in found.items()}


def states(cycle: str) -> str:
    return f"{PLACE}/states of {cycle}.json"


def clear_up() -> None:
    """Remove what a run left and no later run removes, so that one error is reported once."""
    call("removal")
    for pattern in ("/etc/backstage/vassals/*.shaky.*", f"{ROOT}/acts/shaky", "/etc/nginx/backstage/venues/*.new"):
        for path in glob.glob(pattern):
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)


def killed(operation: Operation, point: str, expected: dict[str, Any]) -> dict[str, Any]:
    """Kill an operation at a point, run it again, and return what was wrong."""
    forget()
    take = next_take(operation)
    ended = call(operation.call, take, point)
    lines = events()
    found: dict[str, Any] = {"point": point, "line": lines[-1] if lines else "", "killed": ended.killed}
    problems: list[str] = []
    if ended.killed:
        problems += plays(operation, "after the kill")
        if not wait(lambda: not builders(), 0.01, 5):
            problems.append(f"they live on: {builders()}")
        ended = call(operation.call, take)
    if operation.again and "was interrupted" in ended.message:
        found["asked"] = True
        ended = call(operation.again, take)
    if ended.failed:
        problems.append(f"the next run fails: {ended.message}")
    problems += plays(operation, "after the next run")
    problems += snapshot.differences(expected, state())
    return {**found, "problems": problems}


def kill(name: str, points: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """Kill each operation in turn at its next point, until no operation has a point left."""
    cycle = CYCLES[name]
    with open(states(name), encoding="utf-8") as file:
        expected = json.load(file)
    for number in range(max(map(len, points.values()))):
        for title, operation in cycle.operations.items():
            point = (points.get(title, [])[number : number + 1] or [""])[0]
            began = time.monotonic()
            found = killed(operation, point, expected[title])
            yield {"operation": title, "seconds": round(time.monotonic() - began, 2), **found}
            if found["problems"]:
                count(name)
                break


def main(verb: str, name: str, *words: str) -> None:
    if verb == "call":
        print(json.dumps(call(name).result))
    elif verb == "count":
        print(json.dumps(count(name)))
    else:
        for line in kill(name, {title: ats.split(",") for title, ats in (word.split("=") for word in words)}):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
