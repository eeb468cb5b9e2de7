# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy an Act to several hosts: build it everywhere, then switch one batch of hosts after the other.

The playbooks call the module twice. The first task plans on all hosts at once and builds what several hosts share. The
second task plays, ``backstage_batch`` hosts at a time. A host that fails stops those that follow, so the fleet goes on
with what it plays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional

from ansible.errors import AnsibleConnectionFailure

from ..module_utils.host.errors import Refusal
from . import run_cache

Result = dict[str, Any]
Options = dict[str, Any]
_FAILED = "failed-in-roll"
_PLAYING = "playing-before-a-rollback"
NOTHING_SHARED: Result = {"changed": False, "skipped": True, "skip_reason": "no Act here plays on several hosts"}


class Roll:
    """What the hosts of one run tell each other.

    Args:
        host: the host of this call.
        shared: the Acts that play here and on other hosts.
    """

    def __init__(self, host: str, shared: Iterable[str]) -> None:
        self.host, self.shared = host, sorted(shared)

    def build(self, options: Options, check_mode: bool, ask: Callable[[Options, bool], Result]) -> Result:
        """Plan everything, and build the shared Acts if anything is to be done.

        Args:
            options: the module's options.
            check_mode: whether nothing may be changed.
            ask: calls the module, in check mode if its second argument says so.
        """
        if not self.shared:
            return dict(NOTHING_SHARED)
        # a host that can't be reached before anything is switched is left out, and the others go on
        gone = (AnsibleConnectionFailure,)
        planned = self._watched(lambda: ask(options, True), gone)
        is_needed = bool(planned.get("plan") or planned.get("missing"))
        if planned.get("failed"):
            return planned
        if check_mode or not is_needed:
            self._keep(planned)
            return {"changed": False, "plan": [], "diff": [], "shared": self.shared}
        only = [name for name in options.get("only") or self.shared if name in self.shared]
        part = {**options, "through": "build", "only": only, "prune": False, "delete_data": [], "unhold": []}
        built = self._watched(lambda: ask(part, False), gone) if only else {"changed": False}
        return {**built, "shared": self.shared}

    def look(self, act: str, options: Options, ask: Callable[[Options, bool], Result]) -> Result:
        """Find out which version of an Act a host plays, and since when, before one of the hosts is changed."""
        if not self.shared:
            return dict(NOTHING_SHARED)
        planned = ask(options, True)
        plays = (planned.get("playing") or {}).get(act) or {}
        with run_cache.lock(_PLAYING) as path:
            _write(path, {**(_read(path) or {}), self.host: [plays.get("since") or "", plays.get("version") or ""]})
        return {**planned, "changed": False, "diff": [], "shared": self.shared}

    def leaving(self, options: Options) -> Options:
        """Return the options with the version that a rollback leaves: the one that a host was switched to last.

        A host that plays another version has not been switched to that one, so it stays.
        """
        if not (self.shared and options.get("rollback")):
            return options
        with run_cache.lock(_PLAYING) as path:
            found: Mapping[str, list[str]] = _read(path) or {}
        return {**options, "leaving": max(found.values())[1]} if found else options

    def play(self, options: Options, ask: Callable[[Options], Result]) -> Result:
        """Do the rest, unless the first call found nothing to do or another host has failed.

        Raises:
            Refusal: a host that shares an Act with this one has failed in this run.
        """
        for name, failed in self._failures().items():
            others = [host for host in failed if host != self.host]
            if name in self.shared and others:
                raise Refusal(
                    f"act {name}: nothing is switched on {self.host}, because {', '.join(others)} failed in this run:"
                    " mend that, and run again"
                )
        kept = self._kept()
        return kept if kept is not None else self._watched(lambda: ask(options))

    def _watched(self, call: Callable[[], Result], but: tuple[type[Exception], ...] = ()) -> Result:
        """Tell the other hosts if a call fails, but for these errors."""
        try:
            result = call()
        except but:
            raise
        except Exception:
            self._tell()
            raise
        if result.get("failed"):
            self._tell()
        return result

    def _tell(self) -> None:
        with run_cache.lock(_FAILED) as path:
            known = _read(path) or {}
            for name in self.shared:
                known[name] = sorted({*known.get(name, []), self.host})
            _write(path, known)

    def _failures(self) -> Mapping[str, list[str]]:
        with run_cache.lock(_FAILED) as path:
            found: dict[str, list[str]] = _read(path) or {}
        return found

    def _keep(self, result: Result) -> None:
        plain = {key: value for key, value in result.items() if key not in ("warnings", "deprecations")}
        if result.get("warnings"):
            plain["warnings"] = [_text(warning) for warning in result["warnings"]]
        with run_cache.lock(f"planned-{self.host}") as path:
            _write(path, plain)

    def _kept(self) -> Optional[Result]:
        with run_cache.lock(f"planned-{self.host}") as path:
            found: Optional[Result] = _read(path)
        return found


def _text(warning: Any) -> Any:
    """Return a warning as plain data: since ansible-core 2.19 it is an object with an event."""
    event = getattr(warning, "event", None)
    return warning if event is None else event.msg


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def _write(path: str, data: Any) -> None:
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(data, file)
    os.replace(path + ".new", path)
