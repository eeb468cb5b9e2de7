# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage kinds, by the names that the manifest and the records of Sesses have for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Callable

from ..host import files
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import Act as ActPaths
from ..host.layout import Production
from ..manifest import stage_kinds
from ..manifest.nouns import Manifest
from ..manifest.stage_kinds import FIRST
from ..state.read import ActState
from . import sleep
from .interface import Stage
from .systemd import WANTED_BY
from .uwsgi import Uwsgi

Make = Callable[[Host, ActPaths], Stage]


def _gunicorn() -> Make:
    from .gunicorn import Gunicorn

    return Gunicorn


def _asgi() -> Make:
    from .gunicorn import Asgi

    return Asgi


def _supervised_gunicorn() -> Make:
    from .supervised import SupervisedGunicorn

    return SupervisedGunicorn


def _supervised_asgi() -> Make:
    from .supervised import SupervisedAsgi

    return SupervisedAsgi


_KINDS: dict[tuple[str, str], Callable[[], Make]] = {
    ("uwsgi", ""): lambda: Uwsgi,
    ("gunicorn", ""): _gunicorn,
    ("asgi", ""): _asgi,
    ("gunicorn", "supervisor"): _supervised_gunicorn,
    ("asgi", "supervisor"): _supervised_asgi,
}
"""Kind and manager -> what imports its class: a run without such a Sess needs no other file than that of uwsgi."""


def of(name: str, host: Host, act: ActPaths, manager: str = "") -> Stage:
    """The Stage of an Act, by the name of its kind, and of what runs its server if that is not the kind's default.

    Raises:
        BackstageError: this Backstage does not know the kind.
    """
    if (name, manager) not in _KINDS:
        raise BackstageError(f"this Backstage has no Stage kind '{name}': update the collection", step="stage")
    return _KINDS[name, manager]()(host, act)


def of_sess(record: Mapping[str, Any], host: Host, act: ActPaths) -> Stage:
    """The Stage of a Sess on disk: its record says its kind, whatever the manifest says now.

    Raises:
        BackstageError: a later Backstage made it.
    """
    return of(str(record.get("stage", FIRST)), host, act, str(record.get("manager", "")))


def of_left(sess: str, state: ActState, host: Host) -> Stage:
    """Return the Stage of a Sess whose directory somebody may have removed: then whatever is told to run it."""
    record = files.read_json(state.paths.sess(sess).record)
    if record is not None:
        return of_sess(record, host, state.paths)
    stages = [make()(host, state.paths) for make in _KINDS.values()]
    return next((stage for stage in stages if stage.is_started(sess)), stages[0])


def refusals(manifest: Manifest, host: Host) -> dict[str, BackstageError]:
    """Return the Acts whose Sesses this host can't run, and why. A host without a stage is prepared later."""
    found: dict[str, BackstageError] = {}
    for name, sess in manifest.sesses.items() if host.has_stage else ():
        try:
            if sess.plays:
                manager = stage_kinds.manager(sess.stage, sess.manager)
                of(sess.stage, host, Production(manifest.production).act(name), manager).need()
        except BackstageError as error:
            found[name] = error
    return found


def sweep(production: str, host: Host) -> None:
    """Remove the symlinks to Sesses that a killed run did not rename. The runners ignore them."""
    endings = tuple(ending + files.DRAFT for ending in (".ini", ".service", ".socket", ".conf"))
    wanted_by = [os.path.join(host.units, f"{target}.wants") for target in WANTED_BY.values()]
    for directory in (host.vassals, host.units, *wanted_by, host.supervisor):
        for name in files.names_in(directory):
            if name.startswith(f"backstage.{production}.") and name.endswith(endings):
                files.remove(os.path.join(directory, name))
    sleep.sweep(host.vassals, f"backstage.{production}.")
