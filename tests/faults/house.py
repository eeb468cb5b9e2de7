# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with its Production, and what tests of faults do with them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from .controller import Controller, Run, Running
from .host import PLACE, PROJECT, Host
from .visitors import Visitors

FAULTS = Path(__file__).with_name("faults.yml")
PRESSURE = Path("/proc/pressure/cpu")
MOST_STALLED = 3  # at most so many times its bound is added to a wait
LISTS = {"acts": "name", "sesses": "act", "venues": "name", "gigs": "act"}


class House:
    """The Production of a scenario on one host, and the controller that plays it."""

    def __init__(self, scenario: Path, host: str, work: Path) -> None:
        self.host = Host(host)
        self.work = work
        self.controller = Controller(scenario / "inventory", work, host)
        self.manifest: dict[str, Any] = yaml.safe_load((scenario / "inventory/group_vars/all.yml").read_text())
        self.production: str = self.manifest["backstage_production"]
        self.root = f"/srv/backstage/{self.production}"

    def with_changes(self, **changes: Any) -> dict[str, Any]:
        """Return the changed variables. ``acts={"shaky": {"env": {}}}`` changes an item, other keys replace theirs."""
        changed: dict[str, Any] = {}
        for key, value in changes.items():
            if key not in LISTS:
                changed[key] = value
                continue
            items = deepcopy(self.manifest[f"backstage_{key}"])
            for name, item in value.items():
                found = next((one for one in items if one[LISTS[key]] == name), None)
                if found is None:
                    items.append(found := {LISTS[key]: name})
                found.update(item)
            changed[f"backstage_{key}"] = items
        return changed

    def start(
        self, *options: str, playbook: str = "deploy", watched: bool = False, kill_at_task: int = 0, **changes: Any
    ) -> Running:
        manifest = self.with_changes(**changes)
        return self.controller.start(playbook, *options, watched=watched, kill_at_task=kill_at_task, **manifest)

    def play(self, *options: str, playbook: str = "deploy", watched: bool = False, **changes: Any) -> Run:
        return self.start(*options, playbook=playbook, watched=watched, **changes).end()

    def keep(self, name: str, playbook: str = "deploy", **changes: Any) -> Run:
        """Play, and keep the modules on the host as Ansible sent them, so that tests can call them again."""
        calls = f"{PLACE}/calls"
        self.host.sh(f"rm -rf {PLACE}/keep {calls}/{name}; mkdir -p {PLACE}/keep {calls}")
        run = self.play(playbook=playbook, watched=True, **changes)
        self.host.sh(f"mv {PLACE}/keep {calls}/{name}")
        return run

    def stop_at(self, match: str) -> None:
        """Have the next watched module stop itself at the first write that matches. It keeps its locks."""
        self.host.sh(f"rm -f {PLACE}/stopped")
        self.host.write(f"{PLACE}/order.json", json.dumps({"match": match, "do": "stop", "log": f"{PLACE}/events"}))

    def stopped(self, timeout: float = 300) -> None:
        """Wait until the module has stopped."""
        self.host.sh(
            f"for n in $(seq {timeout * 20:.0f}); do [ ! -e {PLACE}/stopped ] || exit 0; sleep 0.05; done; exit 1"
        )
        self.host.sh(f"rm {PLACE}/order.json")

    def signal(self, name: str) -> None:
        """Send a signal to the module that has stopped."""
        self.host.sh(f"kill -{name} $(cat {PLACE}/stopped)")

    def go_on(self) -> None:
        """Let the module go on, if one has stopped."""
        self.host.sh(f"rm -f {PLACE}/order.json; kill -CONT $(cat {PLACE}/stopped 2>&1) 2>/dev/null || true")

    def info(self) -> dict[str, Any]:
        """Return what backstage_info returns."""
        found: dict[str, Any] = self.host.script("replay.py", "call", "info")
        assert not found.get("failed"), found.get("msg")
        return found

    def good(self) -> None:
        """Run the kept modules of the good run, which must succeed."""
        found = self.host.script("replay.py", "call", "good")
        assert not found.get("failed"), found["msg"]

    @contextmanager
    def nearly_full(self, directory: str, spare_megabytes: int, spare_files: int = 100_000) -> Iterator[None]:
        """Move a directory with its content to a file system that is nearly full, for a while.

        Args:
            directory: an absolute path, or one below the Production's directory. It must hold no sockets.
            spare_megabytes: the megabytes that can still be written.
            spare_files: the number of files and directories that can still be made.
        """
        path = f"{self.root}/{directory}" if directory[0] != "/" else directory
        # it is filled at another place, because no process may see the directory empty
        self.host.sh(f"""
            mkdir -p /mnt/full; mount -t tmpfs -o size=1g tmpfs /mnt/full
            cp -a {path}/. /mnt/full; chmod --reference {path} /mnt/full
            used=$(df -k --output=used /mnt/full | tail -1); files=$(df --output=iused /mnt/full | tail -1)
            mount -o remount,size=$((used + {spare_megabytes} * 1024))k,nr_inodes=$((files + {spare_files})) /mnt/full
            mount --bind /mnt/full {path}
        """)
        try:
            yield
        finally:
            self.host.sh(f"umount -l {path} /mnt/full")

    @contextmanager
    def read_only(self, directory: str) -> Iterator[None]:
        """Make a directory of the Production read-only for a while."""
        path = f"{self.root}/{directory}"
        self.host.sh(f"mount --bind {path} {path}; mount -o remount,ro,bind {path}")
        try:
            yield
        finally:
            self.host.sh(f"umount -l {path}")

    @contextmanager
    def without(self, path: str) -> Iterator[None]:
        """Move a file of the host away for a while."""
        self.host.sh(f"mv {path} {path}.away")
        try:
            yield
        finally:
            self.host.sh(f"mv {path}.away {path}")

    def traces(self, act: str) -> str:
        """Return the files of an Act that a run could change, with their change times, and its processes.

        Those of an earlier Sess, whose end no run waits for, have ended before.
        """
        where, title = f"{self.root}/acts/{act}", f"^{self.production}/{act}/"
        running = f"ps -o args= -u {self.production}-{act} | grep '{title}'"
        return self.host.sh(
            f"live=$(basename $(readlink {where}/live || echo none));"
            f' for n in $(seq 100); do {running} | grep -qv "{title}$live[ /]" || break; sleep 0.1; done;'
            f" find {where} -path {where}/data -prune -o -printf '%p %m %u %C@\\n' | sort;"
            f" find /etc/backstage/vassals /etc/nginx/backstage/venues -name '*{act}*' -printf '%p %C@\\n' | sort;"
            f" ps -o pid=,lstart=,args= -u {self.production}-{act} | grep -v -e '-worker' -e '<defunct>' | sort"
        )

    def leftovers(self) -> list[str]:
        """Return what an unfinished run has left, and no later run should find."""
        return self.host.sh(f"""
            cd {self.root}
            for act in acts/*; do
              live=$(readlink $act/live || true)
              for sess in $act/sesses/*; do [ ! -e "$sess" ] || [ "$sess" = "$act/$live" ] || echo "$sess"; done
              for release in $act/releases/*; do [ -e "$release/release.json" ] || echo "$release (no seal)"; done
              [ ! -e $act/workshop ] || echo "$act/workshop"
              name=$(basename $act)
              for vassal in /etc/backstage/vassals/backstage.{self.production}.$name.*; do
                case $vassal in *.${{live#sesses/}}.ini | *.${{live#sesses/}}.crew.ini) ;; *) echo "$vassal" ;; esac
              done
            done
            for key in environments/*; do [ -e "$key/environment.json" ] || echo "$key (no seal)"; done
            find . /etc/backstage /etc/nginx/backstage -name '*.new'
            [ ! -e spool ] || echo spool
            ps -o user=,args= -u {self.production}_shaky,{self.production}__build 2>/dev/null || true
        """).splitlines()

    def get(self, venue: str, path: str = "/") -> dict[str, Any]:
        """Send one request to a Venue, and return its page and its status, which is 0 if nobody answers."""
        found: dict[str, Any] = self.host.script("get.py", venue, path)
        return found

    def key(self, venue: str) -> str:
        """Return the digest of the SECRET_KEY with which the Act of a Venue plays."""
        return str(self.get(venue, "/health/")["page"]).split()[-1]

    def answers_within(self, venue: str, seconds: float) -> bool:
        """Return whether a Venue answers again in time."""
        return within(seconds, lambda: self.get(venue)["status"] == 200)

    def plays_within(self, seconds: float) -> bool:
        """Return whether backstage_info reports every Act as playing in time."""
        return within(seconds, lambda: all(sess["state"] == "playing" for sess in self.info()["sesses"].values()))

    def awaits_lock_within(self, seconds: float) -> bool:
        """Whether a second process has the lock file of the Production open within so many seconds."""
        opened = f"find /proc/[0-9]*/fd -lname '{self.root}/.lock' 2>/dev/null || true"
        return within(seconds, lambda: len(self.host.sh(opened).splitlines()) > 1)

    def within(self, seconds: float, holds: Callable[[], bool]) -> bool:
        """Return whether it holds in time; see ``within``."""
        return within(seconds, holds)

    def visitors(self, *places: str) -> Visitors:
        venues = [f"{venue['name']}/" for venue in self.manifest["backstage_venues"]]
        return Visitors(self.host, *(places or venues))


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it holds in time; the time for which this machine kept processes waiting for a CPU does not count.

    Scenarios run side by side, and the promise is about a host that is not busy with another one's tests.
    """
    began, waited = time.monotonic(), _waited_for_a_cpu()
    while not holds():
        stalled = min(_waited_for_a_cpu() - waited, MOST_STALLED * seconds)
        if time.monotonic() - began - stalled > seconds:
            return False
        time.sleep(0.05)
    return True


def _waited_for_a_cpu() -> float:
    """Return the seconds in which some process waited for a CPU since the machine started (PSI of the kernel)."""
    try:
        pressure = PRESSURE.read_text()
    except OSError:  # a kernel without PSI
        return 0.0
    return int(pressure.splitlines()[0].rpartition("total=")[2]) / 1e6


def expectations() -> dict[str, dict[str, Any]]:
    """Return the table of releases that fail, with the error of each."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(FAULTS.read_text())
    return found


def assert_told(run: Run, fault: dict[str, Any]) -> None:
    """Assert that the run failed with the line that the table expects, and with the end of the log if there is one."""
    assert run.code != 0, "the run succeeded"
    assert re.fullmatch(fault["error"], run.message), f"expected: {fault['error']}\nsaid:     {run.message}"
    if fault.get("log"):
        assert re.search(fault["log"], run.log), f"expected in the log: {fault['log']}\n{run.log}"
    shown = run.printed.replace("\\n", "\n").replace('\\"', '"')
    assert run.message in shown, f"the user does not see it:\n{run.printed}"


COUNTING = ("status", "remarks", "stdout", "stdout_lines")
"""Keys of backstage_info with requests, memory or the last error in them."""


def playing(info: dict[str, Any]) -> dict[str, Any]:
    """Return what backstage_info returned, without releases, history and what is counted."""
    acts = {
        name: {key: value for key, value in act.items() if key not in ("history", "releases")}
        for name, act in info["acts"].items()
    }
    return {**{key: value for key, value in info.items() if key not in COUNTING}, "acts": acts}


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Assert that the same plays, is held, is booked and answers."""
    old, new = (json.dumps(playing(one), indent=1, sort_keys=True).splitlines() for one in (before, after))
    lost, found = [line for line in old if line not in new], [line for line in new if line not in old]
    assert old == new, "\n".join(["before:", *lost[:20], "after:", *found[:20]])


def assert_grown(before: dict[str, Any], after: dict[str, Any], events: list[str]) -> None:
    """Assert that only these events are new in the Act's history, and that only a release that was built is new."""
    assert_same(before, after)
    for name, act in before["acts"].items():
        now = after["acts"][name]
        added = events if name == "shaky" else []
        assert now["history"][: len(act["history"])] == act["history"], f"{name}: its past was changed"
        new = [line["event"] for line in now["history"][len(act["history"]) :]]
        known = [event for event in added if event != "migrated"]  # if the tests run again on the same host
        assert new in (added, known), f"{name}: {new}"
        assert len(now["releases"]) == len(act["releases"]) + ("built" in added), now["releases"]


def scenario(name: str) -> Path:
    return PROJECT / "extensions" / "molecule" / name
