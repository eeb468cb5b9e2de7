# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with its Production, and what every test of a fault does with them."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from .controller import Controller, Run, Running
from .host import PLACE, PROJECT, Host
from .visitors import Visitors

FAULTS = Path(__file__).with_name("faults.yml")
LISTS = {"acts": "name", "sesses": "act", "venues": "name", "gigs": "act"}


class House:
    """A scenario's Production on one host, and the controller that plays it."""

    def __init__(self, scenario: Path, host: str, work: Path) -> None:
        self.host = Host(host)
        self.controller = Controller(scenario / "inventory", work, host)
        self.manifest: dict[str, Any] = yaml.safe_load((scenario / "inventory/group_vars/all.yml").read_text())
        self.production: str = self.manifest["backstage_production"]
        self.root = f"/srv/backstage/{self.production}"

    def with_changes(self, **changes: Any) -> dict[str, Any]:
        """The manifest with items laid over its lists: ``acts={"shaky": {"env": {}}}``; other keys replace theirs."""
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

    def start(self, *options: str, playbook: str = "deploy", watched: bool = False, **changes: Any) -> Running:
        return self.controller.start(playbook, *options, watched=watched, **self.with_changes(**changes))

    def play(self, *options: str, playbook: str = "deploy", watched: bool = False, **changes: Any) -> Run:
        return self.start(*options, playbook=playbook, watched=watched, **changes).end()

    def keep(self, name: str, playbook: str = "deploy", **changes: Any) -> Run:
        """Play, and keep the modules as they arrive on the host, to be called again there."""
        calls = f"{PLACE}/calls"
        self.host.sh(f"rm -rf {PLACE}/keep {calls}/{name}; mkdir -p {PLACE}/keep {calls}")
        run = self.play(playbook=playbook, watched=True, **changes)
        self.host.sh(f"mv {PLACE}/keep {calls}/{name}")
        return run

    def stop_at(self, match: str) -> None:
        """Have the next watched module stop itself at the first write that matches, holding whatever it holds."""
        self.host.sh(f"rm -f {PLACE}/stopped")
        self.host.write(f"{PLACE}/order.json", json.dumps({"match": match, "do": "stop", "log": f"{PLACE}/events"}))

    def stopped(self, timeout: float = 60) -> None:
        """Wait until it has."""
        self.host.sh(f"for n in $(seq {timeout * 20:.0f}); do [ ! -e {PLACE}/stopped ] || exit 0; sleep 0.05; done; exit 1")
        self.host.sh(f"rm {PLACE}/order.json")

    def signal(self, name: str) -> None:
        """Send a signal to the module that stopped."""
        self.host.sh(f"kill -{name} $(cat {PLACE}/stopped)")

    def info(self) -> dict[str, Any]:
        """What backstage_info returns."""
        found: dict[str, Any] = self.host.script("replay.py", "call", "info")
        assert not found.get("failed"), found.get("msg")
        return found

    def playing(self) -> dict[str, Any]:
        """What plays, is held and is booked, and what every Venue answers; without what a failed run adds to history."""
        info = self.info()
        acts = {name: {key: act[key] for key in ("live", "held", "has_data")} for name, act in info["acts"].items()}
        return {"acts": acts, **{key: info[key] for key in ("sesses", "venues", "answers", "playbill")}}

    def traces(self, act: str) -> str:
        """Everything that a run would touch of an Act, with the times of the last change; and its processes."""
        where = f"{self.root}/acts/{act}"
        return self.host.sh(
            f"find {where} -path {where}/data -prune -o -printf '%p %m %u %C@\\n' | sort;"
            f" find /etc/backstage/vassals /etc/nginx/backstage/venues -name '*{act}*' -printf '%p %C@\\n' | sort;"
            f" ps -o pid=,lstart=,args= -u {self.production}-{act} | grep -v -- '-worker' | sort"
        )

    def leftovers(self) -> list[str]:
        """What no later run should find: the traces of a run that was not finished."""
        return self.host.sh(f"""
            cd {self.root}
            for act in acts/*; do
              live=$(readlink $act/live || true)
              for sess in $act/sesses/*; do [ ! -e "$sess" ] || [ "$sess" = "$act/$live" ] || echo "$sess"; done
              for release in $act/releases/*; do [ -e "$release/release.json" ] || echo "$release (no seal)"; done
              [ ! -e $act/workshop ] || echo "$act/workshop"
              name=$(basename $act)
              for vassal in /etc/backstage/vassals/backstage.{self.production}.$name.*; do
                case $vassal in *.${{live#sesses/}}.ini) ;; *) echo "$vassal" ;; esac
              done
            done
            for key in environments/*; do [ -e "$key/environment.json" ] || echo "$key (no seal)"; done
            find . /etc/backstage /etc/nginx/backstage -name '*.new'
            [ ! -e spool ] || echo spool
            ps -o user=,args= -u {self.production}_shaky,{self.production}__build 2>/dev/null || true
        """).splitlines()

    def visitors(self, *places: str) -> Visitors:
        venues = [f"{venue['name']}/" for venue in self.manifest["backstage_venues"]]
        return Visitors(self.host, *(places or venues))


def expectations() -> dict[str, dict[str, Any]]:
    """The table of releases that go wrong, with what must be said of each."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(FAULTS.read_text())
    return found


def assert_told(run: Run, fault: dict[str, Any]) -> None:
    """The run failed with the one line that the table expects, and with the end of the log where there is one."""
    assert run.code != 0, "the run succeeded"
    assert re.fullmatch(fault["error"], run.message), f"expected: {fault['error']}\nsaid:     {run.message}"
    if fault.get("log"):
        assert re.search(fault["log"], run.log), f"expected in the log: {fault['log']}\n{run.log}"
    shown = run.printed.replace("\\n", "\n").replace('\\"', '"')
    assert run.message in shown, f"the user does not see it:\n{run.printed}"


def same(before: Any, after: Any) -> None:
    """Two states, compared key by key."""
    old, new = (json.dumps(value, indent=1, sort_keys=True).splitlines() for value in (before, after))
    lost, found = [line for line in old if line not in new], [line for line in new if line not in old]
    assert old == new, "\n".join(["before:", *lost[:20], "after:", *found[:20]])


def scenario(name: str) -> Path:
    return PROJECT / "extensions" / "molecule" / name
