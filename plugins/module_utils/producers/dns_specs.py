# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specs of the modules backstage_dns and backstage_dns_info."""

from __future__ import annotations

from ..manifest import spec

Spec = spec.Spec
MANIFEST = ("acts", "sesses", "venues", "gigs", "act_defaults", "sess_defaults", "venue_defaults")
"""Options that only the controller reads."""


def dns() -> Spec:
    manifest = spec.production()
    return {
        "production": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "api": {"type": "str", "default": "http://127.0.0.1:8081"},
        "key": {"type": "str", "no_log": True},
        "key_file": {"type": "path", "default": "/etc/powerdns/pdns.d/backstage-key.conf"},
        "timeout": {"type": "int", "default": 10},
        "zones": {"type": "list", "elements": "str", "required": True},
        "name_servers": {"type": "list", "elements": "dict", "default": [], "options": addresses_of_a_name()},
        "primaries": {"type": "list", "elements": "str", "default": []},
        "names": {"type": "list", "elements": "dict", "default": [], "options": addresses_of_a_name()},
        "ttl": {"type": "int", "default": 300},
        "dnssec": {"type": "bool", "default": False},
        "prune": {"type": "bool", "default": False},
        "wait": {"type": "int", "default": 15},
        **{key: manifest[key] for key in MANIFEST},
    }


def dns_info() -> Spec:
    whole = dns()
    keys = ("production", "name_servers", "names", *MANIFEST)
    return {**{key: whole[key] for key in keys}, "show": {"type": "bool", "default": False}}


def variable() -> Spec:
    """The variable backstage_dns of an inventory."""
    whole = dns()
    found = {key: dict(whole[key]) for key in ("api", "key", "zones", "name_servers", "ttl", "dnssec")}
    return {key: {name: value for name, value in rule.items() if name != "default"} for key, rule in found.items()}


def addresses_of_a_name() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "addresses": {"type": "list", "elements": "str", "required": True},
    }
