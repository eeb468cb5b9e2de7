# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specs of the manifest's nouns, in Ansible's own form.

No option has a default here: what was not given is taken from the overlays, from what is on disk
(in a module for a single noun), or from the defaults in ``nouns``, in that order.
"""

from __future__ import annotations

from typing import Any

from .stage_kinds import KINDS

Spec = dict[str, dict[str, Any]]
VERBS = ("rollback", "restart", "stop", "start", "restore")
"""Options that name one Act for an action. The run then does nothing else."""


def source() -> Spec:
    return {
        "git": {"type": "str"},
        "version": {"type": "str"},
        "archive": {"type": "str"},
        "package": {"type": "str"},
        "path": {"type": "str"},
        "subdir": {"type": "str"},
        "checksum": {"type": "str"},
        "submodules": {"type": "bool"},
        "key": {"type": "str", "no_log": False},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
    }


def index() -> Spec:
    return {
        "url": {"type": "str"},
        "extra_urls": {"type": "list", "elements": "str"},
        "find_links": {"type": "list", "elements": "str"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
    }


def static_url() -> Spec:
    return {"url": {"type": "str", "required": True}, "root": {"type": "str", "required": True}}


def database() -> Spec:
    return {"engine": {"type": "str", "choices": ["postgresql", "sqlite"]}}


def file() -> Spec:
    return {
        "path": {"type": "str", "required": True},
        "content": {"type": "str"},
        "src": {"type": "str"},
    }


def seed() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "run": {"type": "str", "required": True},
        "before_migrate": {"type": "bool"},
        "env": {"type": "dict"},
        "secrets": {"type": "dict", "no_log": True},
    }


def worker() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "run": {"type": "str"},
        "manage": {"type": "str"},
        "stop": {"type": "str", "choices": ["TERM", "INT", "QUIT"]},
        "grace": {"type": "int"},
        "once": {"type": "bool"},
        "count": {"type": "int"},
    }


def timer() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "run": {"type": "str"},
        "manage": {"type": "str"},
        "at": {"type": "str"},
        "every": {"type": "str", "choices": ["minute", "quarter", "hour", "day", "week", "month", "year"]},
    }


def hooks() -> Spec:
    return {
        "before_migrate": {"type": "list", "elements": "str"},
        "after_migrate": {"type": "list", "elements": "str"},
        "after_switch": {"type": "list", "elements": "str"},
    }


def health() -> Spec:
    return {
        "path": {"type": "str"},
        "status": {"type": "list", "elements": "int"},
        "text": {"type": "str"},
        "host": {"type": "str"},
        "timeout": {"type": "int"},
    }


def act() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"]},
        "source": {"type": "dict", "options": source()},
        "refresh": {"type": "str"},
        "requirements": {"type": "list", "elements": "str"},
        "index": {"type": "dict", "options": index()},
        "settings": {"type": "str"},
        "application": {"type": "str"},
        "manage": {"type": "str"},
        "chdir": {"type": "str"},
        "files": {"type": "list", "elements": "dict", "options": file()},
        "env": {"type": "dict"},
        "secrets": {"type": "dict", "no_log": True},
        "database": {"type": "dict", "options": database()},
        "writable": {"type": "list", "elements": "str"},
        "packages": {"type": "list", "elements": "str"},
        "build": {"type": "list", "elements": "str"},
        "static": {"type": "str", "choices": ["auto", "app", "none"]},
        "static_urls": {"type": "list", "elements": "dict", "options": static_url()},
        "after_static": {"type": "list", "elements": "str"},
        "migrate": {"type": "bool"},
        "fixtures": {"type": "list", "elements": "str"},
        "seed": {"type": "list", "elements": "dict", "options": seed()},
        "health": {"type": "dict", "options": health()},
        "timeout": {"type": "int"},
        "keep_releases": {"type": "int"},
        "workers": {"type": "list", "elements": "dict", "options": worker()},
        "timers": {"type": "list", "elements": "dict", "options": timer()},
        "hooks": {"type": "dict", "options": hooks()},
        "dump": {"type": "bool"},
        "was": {"type": "str"},
        "media": {"type": "str", "choices": ["local", "external", "none"]},
    }


def limits() -> Spec:
    return {"memory": {"type": "str"}, "cpu": {"type": "str"}, "tasks": {"type": "int"}}


def server() -> Spec:
    """Return what runs a Sess, for which its release is built."""
    return {
        "stage": {"type": "str", "choices": list(KINDS)},
        "worker_class": {"type": "str", "choices": list(KINDS["gunicorn"].worker_classes)},
    }


def sess() -> Spec:
    return {
        "act": {"type": "str", "required": True},
        **server(),
        "manager": {"type": "str", "choices": list(KINDS["gunicorn"].managers)},
        "processes": {"type": "int"},
        "threads": {"type": "int"},
        "limits": {"type": "dict", "options": limits()},
        "hosts": {"type": "list", "elements": "str"},
        "port": {"type": "int"},
        "state": {"type": "str", "choices": ["started", "asleep", "stopped", "absent"]},
        "idle": {"type": "int"},
        "standby": {"type": "int"},
    }


def tls() -> Spec:
    return {
        "mode": {"type": "str", "choices": ["none", "selfsigned", "files", "acme"]},
        "certificate": {"type": "str"},
        "key": {"type": "str", "no_log": True},
        "challenge": {"type": "str", "choices": ["http-01", "dns-01"]},
        "hsts": {"type": "int"},
    }


def acme() -> Spec:
    return {
        "directory": {"type": "str"},
        "contact": {"type": "str"},
        "ca": {"type": "str"},
        "profile": {"type": "str"},
        "account_key": {"type": "str", "no_log": True},
        "tsig_key": {"type": "str", "no_log": True},
    }


def auth() -> Spec:
    return {"users": {"type": "dict", "no_log": True}, "realm": {"type": "str"}}


def rate() -> Spec:
    return {"requests": {"type": "str"}, "burst": {"type": "int"}}


def proxies() -> Spec:
    return {"addresses": {"type": "list", "elements": "str"}, "header": {"type": "str"}}


def venue() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "aliases": {"type": "list", "elements": "str"},
        "tls": {"type": "dict", "options": tls()},
        "state": {"type": "str", "choices": ["open", "closed", "absent"]},
        "timezone": {"type": "str"},
        "auth": {"type": "dict", "options": auth()},
        "allow": {"type": "list", "elements": "str"},
        "deny": {"type": "list", "elements": "str"},
        "rate": {"type": "dict", "options": rate()},
        "upload": {"type": "str"},
        "proxies": {"type": "dict", "options": proxies()},
        "dns": {"type": "bool"},
        "was": {"type": "str"},
    }


def gig() -> Spec:
    return {
        "act": {"type": "str", "required": True},
        "venue": {"type": "str", "required": True},
        "path": {"type": "str"},
        "when": {"type": "list", "elements": "str"},
        "state": {"type": "str", "choices": ["present", "absent"]},
    }


def optional(spec: Spec) -> Spec:
    """Return the same options with none required: the shape of an overlay."""
    return {key: {k: v for k, v in rule.items() if k != "required"} for key, rule in spec.items()}


def common() -> Spec:
    """Options of every module that changes a host."""
    return {
        "production": {"type": "str", "required": True},
        "lock_timeout": {"type": "int", "default": 600},
    }


def shipping() -> Spec:
    """Return the options that the controller's half of a module sets."""
    return {
        "resolved": {"type": "dict", "default": {}},
        "shipped": {"type": "dict", "default": {}},
        "unavailable": {"type": "dict", "default": {}},
        "run": {"type": "str", "default": ""},
    }


def one_act() -> Spec:
    own: Spec = {"path": {"type": "str"}, "delete_data": {"type": "bool", "default": False}}
    known = {key: rule for key, rule in act().items() if key != "was"}
    return {**common(), **known, **server(), **shipping(), **own}


def one_sess() -> Spec:
    options = {key: rule for key, rule in sess().items() if key != "hosts"}
    return {**common(), **options, "secrets": {"type": "dict", "no_log": True}}


def one_venue() -> Spec:
    return {**common(), **{key: rule for key, rule in venue().items() if key not in ("dns", "was")}}


def one_gig() -> Spec:
    return {**common(), **gig()}


def production() -> Spec:
    return {
        **common(),
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "acts": {"type": "list", "elements": "dict", "options": act(), "default": []},
        "sesses": {"type": "list", "elements": "dict", "options": sess(), "default": []},
        "venues": {"type": "list", "elements": "dict", "options": venue(), "default": []},
        "gigs": {"type": "list", "elements": "dict", "options": gig(), "default": []},
        "act_defaults": {"type": "dict", "options": optional(act()), "default": {}},
        "sess_defaults": {"type": "dict", "options": optional(sess()), "default": {}},
        "venue_defaults": {"type": "dict", "options": optional(venue()), "default": {}},
        "acme": {"type": "dict", "options": acme(), "default": {}},
        "versions": {"type": "dict", "default": {}},
        "only": {"type": "list", "elements": "str", "default": []},
        "version": {"type": "str"},
        "through": {"type": "str", "choices": ["resolve", "build", "migrate", "play"], "default": "play"},
        **{verb: {"type": "str"} for verb in VERBS},
        "release": {"type": "str"},
        "migrations": {"type": "str", "choices": ["refuse", "keep"], "default": "refuse"},
        "unhold": {"type": "list", "elements": "str", "default": []},
        "seeds": {"type": "dict", "default": {}},
        "prune": {"type": "bool", "default": False},
        "delete_data": {"type": "list", "elements": "str", "default": []},
        "longest_request": {"type": "int", "default": 300},
        **shipping(),
        "elsewhere": {"type": "list", "elements": "str", "default": []},
        "shared": {"type": "list", "elements": "str", "default": []},
        "following": {"type": "list", "elements": "str", "default": []},
        "only_shared": {"type": "bool", "default": False},
        "dns_follows": {"type": "bool", "default": False},
        "leaving": {"type": "str"},
        "checked": {"type": "bool", "default": False},
    }


def shown() -> Spec:
    """Of modules whose controller's half prints what they found."""
    return {"show": {"type": "bool", "default": False}}


def manage() -> Spec:
    return {
        "production": {"type": "str", "required": True},
        "act": {"type": "str", "required": True},
        "run": {"type": "str", "required": True},
        "changes": {"type": "bool"},
        "timeout": {"type": "int", "default": 3600},
        **shown(),
    }


def info() -> Spec:
    return {"production": {"type": "str"}, "verify": {"type": "bool", "default": False}, **shown()}


def log_info() -> Spec:
    return {
        "production": {"type": "str", "required": True},
        "act": {"type": "str", "required": True},
        "lines": {"type": "int", "default": 100},
        "since": {"type": "str"},
        **shown(),
    }


def skeleton() -> Spec:
    return {"act": {"type": "str", "required": True}, "path": {"type": "str"}, **shown()}


def rehearsal() -> Spec:
    whole = production()
    lists = (
        "acts",
        "sesses",
        "venues",
        "gigs",
        "act_defaults",
        "sess_defaults",
        "venue_defaults",
        "versions",
        "version",
    )
    return {
        "path": {"type": "str"},
        "act": {"type": "str"},
        "venue": {"type": "str"},
        "lines": {"type": "dict", "default": {}},
        "keep": {"type": "bool", "default": True},
        "production": {"type": "str"},
        **{key: whole[key] for key in (*lists, "longest_request", "lock_timeout")},
        **shipping(),
        **shown(),
    }
