# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage kind that a project needs, from its files alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from ..host.facts import Host
from ..manifest.nouns import Manifest, Sess
from ..manifest.stage_kinds import FIRST, KINDS
from ..stages import kinds
from .survey import Survey

_SERVERS = ("gunicorn", "daphne", "hypercorn", "granian", "uvicorn", "waitress")
"""Servers that projects name among their requirements; of them the Stage kinds use gunicorn and uvicorn."""


WHITENOISE = (
    "nginx answers for static files, and not WhiteNoise; behind a CDN that wants WhiteNoise, write 'static: app'"
)


@dataclass(frozen=True)
class Choice:
    """The keys of a Sess that a project needs.

    Args:
        sess: the keys with their values; empty if the defaults do.
        because: the reasons, one sentence each.
        notes: what else is to be known of the servers that the project names.
        wishes: what somebody has to do.
    """

    sess: dict[str, Any] = field(default_factory=dict)
    because: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()


def choose(survey: Survey, act: str, host: Host) -> Choice:
    """Return the Sess for a project that has none in a manifest.

    Args:
        survey: its files.
        act: the name of its Act.
        host: the host on which it is rehearsed.
    """
    notes = (WHITENOISE,) if survey.mentions(r"whitenoise\.middleware") else ()
    if not _has_websockets(survey):
        return Choice(notes=notes + _unused(survey, FIRST))
    stage = next(name for name, kind in KINDS.items() if kind.interface == "asgi")
    refusals = kinds.refusals(Manifest(act, sesses={act: Sess(act, stage=stage)}), host)
    if refusals:
        return Choice(wishes=(f"its WebSockets: {refusals[act].message}",), notes=notes + _unused(survey, FIRST))
    sess: dict[str, Any] = {"stage": stage}
    because = ["it has an ASGI_APPLICATION and channels, so it answers WebSockets"]
    if survey.mentions("InMemoryChannelLayer"):
        sess["processes"] = 1
        because.append("a message of its in-memory channel layer reaches clients of the same process only")
    return Choice(sess, tuple(because), notes + _unused(survey, stage))


def _has_websockets(survey: Survey) -> bool:
    return survey.needs(r"channels(?![\w-])") and survey.mentions(r"(?m)^\s*ASGI_APPLICATION\s*=")


def _unused(survey: Survey, stage: str) -> tuple[str, ...]:
    packages = [name for one in KINDS[stage].worker_classes.values() for name in one.packages]
    used = {name.partition("[")[0] for name in packages}
    named = [name for name in _SERVERS if name not in used and survey.needs(rf"{name}(?![\w-])")]
    return tuple(
        f"{name} is among the requirements, and is not used: the Act plays by {_called(stage)}" for name in named
    )


def _called(stage: Optional[str]) -> str:
    return "Debian's uWSGI" if stage == FIRST else f"stage '{stage}'"
