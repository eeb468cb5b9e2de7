# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out, before anything is done, whether nginx can be configured at the end."""

from __future__ import annotations

import os
from collections.abc import Container

from ..host import files
from ..host.errors import BackstageError
from ..host.facts import SITE, Host
from ..manifest import stage_kinds
from ..manifest.nouns import Sess
from ..state.plan import Change, Phase
from . import blocks, encryption, server_block
from .issued import is_issued
from .manager import Bookings

_MOVES = (Phase.PLAY, Phase.LEAVE, Phase.STOP, Phase.REMOVE)
_ROOM = 2**20


def refusals(changes: list[Change], bookings: Bookings, planning: bool) -> dict[str, BackstageError]:
    """Return the Acts whose changes nginx could not get: Act -> why; "" for Venues without an Act.

    Args:
        changes: what the run is about to do.
        bookings: what is booked, and what should be.
        planning: whether nothing will be done; a host without nginx is not refused then.
    """
    books = any(change.phase == Phase.BOOK for change in changes)
    waiting = {change.act for change in changes if change.act} & bookings.reached()
    if not books and not any(change.act in waiting and change.phase in _MOVES for change in changes):
        return {}
    try:
        if bookings.host.has_front_of_house or not planning:
            bookings.host.need_front_of_house()
            if any(map(encryption.is_encrypted, bookings.wanted().values())):
                bookings.host.need_tls()
            if any(map(blocks.has_schedule, bookings.wanted().values())):
                bookings.host.need_calendar()
            if any(map(is_issued, bookings.wanted().values())):
                bookings.host.need_acme(bool(bookings.encryption.issued.by_dns))
            if any(map(_speaks_http, bookings.manifest.sesses.values())):
                bookings.host.need_http_doors()
            bookings.others.nginx.need_accepted(bookings.files_of_ours())
            if books:
                _need_writable(bookings.host)
    except BackstageError as error:
        said = BackstageError(f"{error.message}; nothing was changed", step=error.step)
        return dict.fromkeys(waiting or {""}, said)
    return {}


def _speaks_http(sess: Sess) -> bool:
    return sess.plays and stage_kinds.KINDS[sess.stage].protocol == "http"


def doubts(bookings: Bookings, refused: Container[str]) -> list[str]:
    """Return warnings for a run that changes nothing of nginx. It compares the names of Venues all the same."""
    found = [*bookings.encryption.doubts(), *bookings.encryption.issued.doubts(bookings.wanted())]
    fault = bookings.others.nginx.fault if bookings.manifest.venues else ""
    if not fault or any(act in refused for act in ("", *bookings.reached())):
        return found
    return [*found, f"nginx plays on, and would not start again: it refuses its configuration: {fault}"]


def _need_writable(host: Host) -> None:
    for path in (host.venues, server_block.LOGS):
        if not os.path.isdir(path):
            raise BackstageError(f"{path} is missing; {SITE}", step="nginx")
        if not os.access(path, os.W_OK):
            message = f"{path} can't be written: it is read-only; make it writable, then run again"
            raise BackstageError(message, step="nginx")
        files.need_room(path, _ROOM, "what nginx reads")
