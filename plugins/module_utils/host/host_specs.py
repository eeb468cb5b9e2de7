# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument specs of the modules that prepare a host: backstage_host_info and backstage_files."""

from __future__ import annotations

from typing import Any

Spec = dict[str, dict[str, Any]]


def info() -> Spec:
    return {
        "packages": {"type": "list", "elements": "str", "default": []},
        "service": {
            "type": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "pidfile": {"type": "str", "default": ""},
                "files": {"type": "list", "elements": "str", "default": []},
                "workers": {"type": "str", "default": ""},
            },
        },
        "record": {"type": "path"},
        "uv": {"type": "path"},
        "emperor": {
            "type": "dict",
            "options": {"vassals": {"type": "str", "required": True}, "ini": {"type": "str", "required": True}},
        },
        "nginx": {
            "type": "dict",
            "options": {
                "port": {"type": "int", "required": True},
                "tls_port": {"type": "int", "default": 0},
                "ours": {"type": "list", "elements": "str", "required": True},
                "venues": {"type": "path", "required": True},
                "facts": {"type": "path", "required": True},
            },
        },
        "postgresql": {"type": "bool", "default": False},
        "producer": {
            "type": "dict",
            "options": {
                "listen": {"type": "list", "elements": "str", "required": True},
                "ours": {"type": "list", "elements": "str", "required": True},
                "key": {"type": "path", "required": True, "no_log": False},
            },
        },
        "leaving": {"type": "bool", "default": False},
    }


def files() -> Spec:
    return {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "directories": _listed(_owned("0755")),
        "files": _listed(
            {
                **_owned("0644"),
                "content": {"type": "str"},
                "data": {"type": "dict"},
                "sensitive_content": {"type": "str", "no_log": True},
            },
            mutually_exclusive=[("content", "data", "sensitive_content")],
        ),
        "logs": _listed(_owned("0640", group="adm")),
        "removed_links": _listed(
            {"path": {"type": "path", "required": True}, "target": {"type": "path", "required": True}}
        ),
        "validate": {"type": "list", "elements": "str", "default": []},
        "record": {"type": "path", "required": True},
        "recorded": {"type": "str", "default": ""},
    }


def _owned(mode: str, group: str = "root") -> Spec:
    return {
        "path": {"type": "path", "required": True},
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": group},
        "mode": {"type": "str", "default": mode},
    }


def _listed(options: Spec, **rules: Any) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "default": [], "options": options, **rules}
