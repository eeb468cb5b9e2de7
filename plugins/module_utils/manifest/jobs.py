# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that an Act runs beside its web processes, as plain data, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seed:
    """A management command that runs once in the Act's life."""

    name: str
    run: str
    before_migrate: bool = False
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Worker:
    """A process that runs beside the web processes of a Sess, from the same release: a queue worker or a scheduler.

    Args:
        name: its name in logs and status.
        run: a program of the environment with its arguments; empty for a management command.
        manage: a management command with its arguments.
        stop: the signal after which it finishes its job and ends.
        grace: the number of seconds until it is killed.
        once: whether the old Sess's has to end before the new one's starts.
        count: how many of it run.
    """

    name: str
    run: str = ""
    manage: str = ""
    stop: str = "TERM"
    grace: int = 60
    once: bool = False
    count: int = 1


@dataclass(frozen=True)
class Timer:
    """A command at a time.

    Args:
        name: its name in logs and status.
        run: a program of the environment with its arguments; empty for a management command.
        manage: a management command with its arguments.
        at: a time of day, such as 03:00.
        every: or how often: minute, quarter, hour, day, week, month, year.
    """

    name: str
    run: str = ""
    manage: str = ""
    at: str = ""
    every: str = ""

    @property
    def when(self) -> str:
        """Return its time as people read it, with its command."""
        time = f"every {self.every}" if self.every else f"at {self.at}"
        return f"{time}: {self.run or self.manage}"


@dataclass(frozen=True)
class Hooks:
    """Management commands at fixed moments of a run.

    Args:
        before_migrate: before the migrations of a release.
        after_migrate: after them.
        after_switch: after a switch to another Sess.
    """

    before_migrate: list[str] = field(default_factory=list)
    after_migrate: list[str] = field(default_factory=list)
    after_switch: list[str] = field(default_factory=list)
