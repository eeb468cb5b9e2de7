# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""While a module runs, what it writes down is printed as it comes.

A second channel of the same connection asks for what is new, and the question waits on the host until there is some.
It begins when the module has run for a moment: one that has nothing to do has ended before.
"""

from __future__ import annotations

import copy
import json
import shlex
import threading
import time
from types import TracebackType
from typing import Any, Optional

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.host import run_log

BEGIN_AFTER = 1.5
"""Seconds: nobody wonders what a module does that takes less."""
PATIENCE = 3
"""Seconds that a question waits on the host; a phase that takes longer is told before it has ended."""
SHORTEST = 0.5
"""Seconds of a phase that is worth a line."""
# Waits until there are more lines than those seen, or the file has gone. Lines are counted, and not bytes: what comes
# by a terminal has other ends of lines.
_ASK = (
    "n=0; while [ $n -lt {turns} ]; do"
    " if [ -e {path} ]; then [ $(wc -l < {path}) -gt {seen} ] && break;"
    " elif [ {seen} -gt 0 ]; then echo over; break; fi;"
    " n=$((n+1)); sleep 0.2; done; tail -n +{first} {path} 2>/dev/null; true"
)


class Follower:
    """Follows one run of a module.

    Args:
        action: the action that runs it; it and its connection are copied, for the thread changes what they hold.
        run: the id of the run.
        heading: stands before every line, such as the host where there are several.
    """

    def __init__(self, action: ActionBase, run: str, heading: str = "") -> None:
        self._action = copy.copy(action)
        connection = copy.copy(action._connection)
        connection._shell = copy.copy(connection._shell)
        if getattr(connection, "become", None):
            connection.become = copy.copy(connection.become)
        self._action._connection = connection
        self._path, self._heading = shlex.quote(run_log.place(run)), heading
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._lines = Lines()
        self.questions = 0

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: Optional[type[BaseException]], _error: Optional[BaseException], _trace: Optional[TracebackType]
    ) -> None:
        self._over.set()
        if self.questions:
            self._thread.join(1.0)  # the file goes with the module, and the question ends then

    def _follow(self) -> None:
        if self._over.wait(BEGIN_AFTER):
            return
        seen = 0
        try:
            while not self._over.is_set():
                answer = self._ask(seen)
                seen += len(answer)
                for line in self._lines.told(answer, time.monotonic()):
                    Display().display(f"{self._heading}{line}")
                if "over" in answer:
                    return
        except (AnsibleError, OSError) as error:
            Display().vv(f"what the module does can't be followed: {error}")

    def _ask(self, seen: int) -> list[str]:
        self.questions += 1
        ask = _ASK.format(path=self._path, seen=seen, first=seen + 1, turns=PATIENCE * 5)
        said: str = self._action._low_level_execute_command(ask, sudoable=True)["stdout"]
        return [line.strip() for line in said.splitlines() if line.strip()]


class Lines:
    """From events to lines for people: one for each phase, when it has ended; a long one is told before, too."""

    def __init__(self) -> None:
        self._running = ""
        self._since = 0.0
        self._told = False

    def told(self, answer: list[str], now: float) -> list[str]:
        lines: list[str] = []
        for text in answer:
            event = _event(text)
            about = f"{event.get('act') or 'host'}: "
            if "note" in event:
                lines.append(f"{about}{event['note']}")
            elif "began" in event:
                self._running, self._since, self._told = f"{about}{event['began']}", now, False
            elif "ended" in event:
                self._running = ""
                if event["seconds"] >= SHORTEST:
                    lines.append(f"{about}{event['ended']}: {event['seconds']:.0f} s")
        if self._running and not self._told and now - self._since >= PATIENCE - 1:
            self._told = True
            lines.append(f"{self._running} ...")
        return lines


def _event(text: str) -> dict[str, Any]:
    """Return an event; None if a line is not one, such as a shell's greeting."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
