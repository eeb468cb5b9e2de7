# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run and report steps inside the Act's own Python, for act_migrations and act_steps.

The module feeds this file to the interpreter before theirs. It imports nothing of Backstage, and nothing of
Django or the Act before their paths are set.
"""

from __future__ import annotations

import io
import json
import os
from typing import Any, Callable

Options = dict[str, Any]
# Whatever the Act's own code raises is a failure of its step: it is reported, and nothing continues.
ANYTHING = (Exception, SystemExit)


REPORT: list[int] = []
"""The descriptor for lines of JSON: the names of steps, and at the end the findings."""


class Failed(Exception):
    """A step that failed. Its cause is the original exception."""

    def __init__(self, step: str, error: Any) -> None:
        super().__init__(str(error))
        self.step = step
        self.error = error
        self.applied: list[str] = []
        self.half = ""


def step(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    report({"step": name})
    try:
        return function(*args, **kwargs)
    except ANYTHING as error:
        raise Failed(name, error) from error


def report(line: dict[str, Any]) -> None:
    for descriptor in REPORT:
        data = json.dumps(line).encode() + b"\n"
        while data:
            data = data[os.write(descriptor, data) :]


def call(*words: str, **options: Any) -> str:
    from django.core.management import call_command

    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def need_database(wanted: Any) -> None:
    """Check that the settings use the database that the manifest gives."""
    from django.db import DEFAULT_DB_ALIAS, connections

    if not wanted:
        return
    used = step("settings", connections.__getitem__, DEFAULT_DB_ALIAS)
    name = str(used.settings_dict["NAME"])
    if (used.vendor, name) != (wanted["vendor"], wanted["name"]):
        found = "no database" if used.vendor == "unknown" else f"{used.vendor} '{name}'"
        raise Failed("check", f"DATABASES has {found} as its default, and not {wanted['vendor']} '{wanted['name']}'")
