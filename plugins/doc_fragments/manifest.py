# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists of a manifest as options: the documentation of each noun, one level deeper."""

from __future__ import annotations

import json
from typing import Any

import yaml

from . import act, gig, sess, venue

Options = dict[str, Any]


def _options(*documentation: str) -> Options:
    return {name: option for text in documentation for name, option in yaml.safe_load(text)["options"].items()}


def _nouns(what: str, suboptions: Options) -> Options:
    return {"type": "list", "elements": "dict", "default": [], "description": what, "suboptions": suboptions}


def _overlay(what: str, place: str, options: Options) -> Options:
    suboptions = _pointing(place, options)
    for option in suboptions.values():
        option.pop("required", None)
    return {"type": "dict", "default": {}, "description": what, "suboptions": suboptions}


def _pointing(place: str, options: Options) -> Options:
    """Return the same options, each with a reference to where it is described."""
    found: Options = {}
    for name, option in options.items():
        found[name] = {key: option[key] for key in ("type", "elements", "choices", "required") if key in option}
        found[name]["description"] = f"See O({place}.{name})."
        if "suboptions" in option:
            items = "[]" if option["type"] == "list" else ""
            found[name]["suboptions"] = _pointing(f"{place}.{name}{items}", option["suboptions"])
    return found


_ACT = _options(act.ModuleDocFragment.DOCUMENTATION)
_SESS = _options(sess.ModuleDocFragment.DOCUMENTATION, sess.ModuleDocFragment.HOSTS)
_VENUE = _options(venue.ModuleDocFragment.DOCUMENTATION, venue.ModuleDocFragment.DNS)
_GIG = _options(gig.ModuleDocFragment.DOCUMENTATION)


class ModuleDocFragment:
    # JSON is valid YAML and needs no indentation. Because of the type, ansible-test does not parse this as a literal.
    DOCUMENTATION: str = json.dumps(
        {
            "options": {
                "acts": _nouns("The Acts, as C(backstage_acts) of the inventory.", _ACT),
                "sesses": _nouns(
                    "The Sesses, as C(backstage_sesses). A booked Act needs none: it plays with the defaults.",
                    _SESS,
                ),
                "venues": _nouns("The Venues, as C(backstage_venues).", _VENUE),
                "gigs": _nouns("The Gigs, as C(backstage_gigs).", _GIG),
                "act_defaults": _overlay("Defaults for every Act, as C(backstage_act_defaults).", "acts[]", _ACT),
                "sess_defaults": _overlay("Defaults for every Sess, as C(backstage_sess_defaults).", "sesses[]", _SESS),
                "venue_defaults": _overlay(
                    "Defaults for every Venue, as C(backstage_venue_defaults).", "venues[]", _VENUE
                ),
            }
        }
    )
