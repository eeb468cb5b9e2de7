# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a module's options to an order for the Production manager."""

from __future__ import annotations

from typing import Any, Mapping

from . import manifest
from .errors import Refusal
from .nouns import Manifest
from .production import Order


def for_production(options: Mapping[str, Any]) -> Order:
    """The order of backstage_production.

    Raises:
        Refusal: the options are not accepted.
    """
    wanted = manifest.parse(options)
    strike = options["state"] == "absent"
    here = set(wanted.acts) - set(options["elsewhere"])
    if options["only"]:
        wanted = wanted.only(here & set(options["only"]))
    elif options["elsewhere"]:
        wanted = wanted.only(here)
    if options["rollback"] and options["rollback"] not in wanted.acts:
        raise Refusal(f"rollback: '{options['rollback']}' is no Act of this Production on this host")
    if options["prune"] and options["only"]:
        raise Refusal("prune: it takes the whole manifest; leave 'only' out")
    return Order(
        manifest=Manifest(wanted.production) if strike else wanted,
        resolved=options["resolved"],
        shipped=options["shipped"],
        through=options["through"],
        rollback=options["rollback"] or "",
        release=options["release"] or "",
        unhold=set(options["unhold"]),
        seeds=options["seeds"],
        prune=options["prune"] or strike,
        delete_data=set(options["delete_data"]),
        strike=strike,
        lock_timeout=options["lock_timeout"],
    )
