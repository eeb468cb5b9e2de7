# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface of a Stage kind: what runs the Sesses of one Act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Callable, Optional, Protocol

from ..host.facts import Host
from ..manifest.jobs import Worker
from ..manifest.nouns import Act, Limits
from . import emperor, supervisor, systemd
from .door import Door
from .limits import Held


@dataclass(frozen=True)
class Part:
    """What a Sess plays. It has no id yet, and is compared by content with what is on disk.

    Args:
        release: the id of the release.
        project: the working directory.
        environment: the virtual environment.
        variables: the whole environment of the process, secrets included.
        secrets: the names of those that are secret.
        processes: processes that answer requests.
        threads: threads of each worker.
        timeout: the longest request, in seconds.
        limits: what it may use of the host.
        stage: the Stage kind that runs it.
        worker_class: how a worker of gunicorn takes requests; empty for other kinds.
        manager: what runs the server; empty for the one that the kind has by itself.
        manage: how the Act is managed.
        workers: its workers.
        idle: seconds without a request after which it sleeps; 0 if it never does.
        standby: minutes that it stays beside the Sess of another release that replaces it.
    """

    release: str
    project: str
    environment: str
    variables: dict[str, str]
    secrets: frozenset[str]
    processes: int
    threads: int
    timeout: int
    limits: Limits = field(default_factory=Limits)
    stage: str = "uwsgi"
    worker_class: str = ""
    manager: str = ""
    manage: str = ""
    workers: tuple[Worker, ...] = ()
    idle: int = 0
    standby: int = 0


@dataclass(frozen=True)
class Text:
    """A file of a Sess.

    Args:
        text: its content.
        mode: its permissions.
        for_player: whether its group is the player's; else it is root's.
    """

    text: str
    mode: int
    for_player: bool = False


@dataclass(frozen=True)
class Front:
    """What brings visitors to a Sess.

    Args:
        ask: requests the Act at all its Venues; if it raises, the switch is undone.
        lead: has nginx ask at the Act's door by a protocol. It gets the Act, the release that is about to play, the
            path for which it plays, and the protocol.
    """

    ask: Callable[[Act], None]
    lead: Callable[[str, str, str, str], None]


class Look:
    """One look at what runs Sesses on this host, for all Acts together."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @cached_property
    def emperor(self) -> Optional[emperor.Stats]:
        """What the emperor says; None where none runs."""
        return emperor.try_look(self.host.stats)

    @cached_property
    def units(self) -> dict[str, systemd.Unit]:
        """The services of all Sesses that systemd runs, by their names."""
        return systemd.services()

    @cached_property
    def programs(self) -> dict[str, supervisor.Program]:
        """The programs of all Sesses that supervisor runs, by their names."""
        return supervisor.programs()


class Stage(Protocol):
    """How the Sesses of one Act are run. A kind is made by ``kinds.of``."""

    host: Host
    runner: str
    """What runs its Sesses, for people."""

    def files(self, part: Part, sess: str) -> dict[str, Optional[Text]]:
        """The files of a Sess, by their names in its directory; None for one that it must not have."""

    def links(self, sess: str) -> dict[str, str]:
        """What tells the runner to run a Sess: paths of links, and where they lead."""

    def beside(self, part: Part, sess: str) -> dict[str, Optional[str]]:
        """The texts of files that are beside the links, by their paths; None for one that must not be there."""

    def door(self, sess: str) -> Door:
        """Where requests reach a Sess."""

    def need(self) -> None:
        """Refuse a host that can't run Sesses of this kind.

        Raises:
            BackstageError: it lacks something.
        """

    def start(self, sess: str) -> None:
        """Have the Sess started, now and at every boot."""

    def ready(self, sess: str, timeout: float) -> None:
        """Wait until the Sess accepts requests.

        Raises:
            BackstageError: it ended, was refused, or took too long; nothing says more than its log.
        """

    def idle(self, sess: str, timeout: float) -> bool:
        """Wait until stop() harms no request; return whether that came in time."""

    def stop(self, sess: str, grace: Optional[float]) -> None:
        """Stop a Sess and take its links away.

        Args:
            sess: which one.
            grace: seconds for what is still being answered; then it is killed. None where nobody waits for its exit.
        """

    def is_started(self, sess: str) -> bool:
        """Whether the runner is told to run the Sess."""

    def is_playing(self, sess: str, look: Look) -> bool:
        """Whether the Sess runs and accepts requests."""

    def is_asleep(self, sess: str, look: Look) -> bool:
        """Whether the Sess has no process, and its runner starts one at the next request."""

    def pid(self, sess: str, look: Look) -> int:
        """The first process of a Sess; 0 if it has none, or nobody tells."""

    def held(self, sess: str, asked: Mapping[str, Any], look: Look) -> list[Held]:
        """What holds the limits that a Sess was started with."""

    def remembered(self) -> list[str]:
        """The Sesses of this Act that the runner remembers, so that their names are not used again."""

    def log_ends(self) -> dict[str, int]:
        """Where the logs end now that a Sess may write to."""

    def log_since(self, ends: dict[str, int]) -> str:
        """The end of what the Sess has logged since then."""

    def printed_since(self, ends: dict[str, int]) -> str:
        """What the Sess has logged since then, from its beginning; of very much only the beginning and the end."""
