# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a manifest may say of each Stage kind, and what the kind needs in a release. ``stages`` has their code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

Server = dict[str, Any]
"""What a release is built for, among its inputs: the kind, and the packages that the kind needs."""

FIRST = "uwsgi"
"""The kind of releases and Sesses that name none."""


@dataclass(frozen=True)
class WorkerClass:
    """How a worker takes requests.

    Args:
        packages: those that it needs beside the kind's own.
        has_threads: whether each worker has as many threads as the manifest says.
    """

    packages: tuple[str, ...] = ()
    has_threads: bool = False


@dataclass(frozen=True)
class Kind:
    """One Stage kind.

    Args:
        interface: of the Act's callable: wsgi or asgi.
        protocol: what is spoken at the doors of its Sesses: uwsgi or http.
        worker_classes: by name, the default first; the name is empty if the kind has a single one.
        managers: what can run its server, the default first; none if there is a single one.
        is_vassal: whether the emperor runs its Sesses. It alone starts one at a request, and ends one that stands by
            when its symlink goes.
        reserved: variables, or their beginnings with a `*`, by which its server would take other options.
    """

    interface: str = "wsgi"
    protocol: str = "uwsgi"
    worker_classes: Mapping[str, WorkerClass] = field(default_factory=lambda: {"": WorkerClass(has_threads=True)})
    managers: tuple[str, ...] = ()
    is_vassal: bool = False
    reserved: tuple[str, ...] = ()

    @property
    def default(self) -> str:
        """The name of the worker class that is used if the manifest names none."""
        return next(iter(self.worker_classes))


_MANAGERS = ("systemd", "supervisor")
_RESERVED = ("LISTEN_*", "NOTIFY_SOCKET", "GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS")
KINDS = {
    FIRST: Kind(is_vassal=True),
    "gunicorn": Kind(
        protocol="http",
        worker_classes={
            "gthread": WorkerClass(("gunicorn",), has_threads=True),
            "sync": WorkerClass(("gunicorn",)),
            "gevent": WorkerClass(("gunicorn[gevent]",)),
        },
        managers=_MANAGERS,
        reserved=_RESERVED,
    ),
    "asgi": Kind(
        interface="asgi",
        protocol="http",
        worker_classes={"": WorkerClass(("gunicorn", "uvicorn[standard]", "uvicorn-worker"))},
        managers=_MANAGERS,
        reserved=_RESERVED,
    ),
}


def server(stage: str, worker_class: str = "") -> Optional[Server]:
    """Return what a release needs in order to be played so; None if the host brings the server."""
    kind = KINDS[stage]
    packages = kind.worker_classes[worker_class or kind.default].packages
    return {"stage": stage, "packages": list(packages)} if packages else None


def of_server(built_for: Optional[Server]) -> Kind:
    """Return the kind that a release was built for."""
    return KINDS.get(built_for["stage"], KINDS[FIRST]) if built_for else KINDS[FIRST]


def manager(stage: str, asked: str = "") -> str:
    """Return what runs a Sess, as its record has it: empty for the kind's default."""
    managers = KINDS[stage].managers if stage in KINDS else ()
    return asked if asked in managers[1:] else ""


def is_vassal(stage: str) -> bool:
    """Return whether Sesses of a kind can sleep and stand by."""
    return stage in KINDS and KINDS[stage].is_vassal


def has_threads(stage: str, worker_class: str = "") -> bool:
    """Return whether each worker has as many threads as the manifest says."""
    kind = KINDS.get(stage, KINDS[FIRST])
    return kind.worker_classes.get(worker_class or kind.default, WorkerClass()).has_threads


def played(stage: str, worker_class: str, built_for: Optional[Server]) -> tuple[str, str]:
    """Return the kind and the worker class by which a release is played.

    An earlier release may have been built for another kind, whose server its environment has.

    Args:
        stage: the kind that the manifest asks for.
        worker_class: the worker class that the manifest asks for; empty for the kind's default.
        built_for: what the release was built for.
    """
    if server(stage, worker_class) == built_for:
        return stage, worker_class or KINDS[stage].default
    own = built_for["stage"] if built_for else FIRST
    classes = KINDS[own].worker_classes if own in KINDS else {"": WorkerClass()}
    fitting = (name for name in classes if own in KINDS and server(own, name) == built_for)
    return own, next(fitting, next(iter(classes)))
