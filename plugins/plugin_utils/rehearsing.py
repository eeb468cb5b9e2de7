# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's half of a rehearsal: a directory becomes an Act, its source is shipped, the findings are printed."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.host.errors import Refusal
from ..module_utils.manifest import parse as manifest
from ..module_utils.manifest import spec
from ..module_utils.manifest.nouns import Act
from ..module_utils.manifest.problems import Problems
from . import controller, following, lifetimes, playbill, printing, resolving, variables

Options = dict[str, Any]
TRYOUT = "tryout"
"""What the Production of a project is called that has none yet."""
CHECK = "check mode; nothing was rehearsed: a rehearsal leaves nothing that plays, so run it without --check"


def run(action: ActionBase, options: Options, task_vars: dict[str, Any]) -> dict[str, Any]:
    """Ship the Act and have the host rehearse it.

    Raises:
        Refusal: before the host is touched.
    """
    base = str(task_vars.get("inventory_dir") or os.getcwd())
    problems = Problems()
    variables.check(task_vars, problems)
    problems.refuse()
    options = as_written(options, base)
    if options["path"]:
        options.update(of_directory(options))
    act = wanted(options)
    show = options.pop("show")
    if action._task.check_mode:
        result: dict[str, Any] = {"changed": False, "note": CHECK}
    else:
        options["resolved"] = resolving.resolve([act], base)
        packed = resolving.pack(act, options["resolved"][act.name]["content"], base)
        options["shipped"] = {act.name: controller.ship(action, packed)}
        lifetimes.end_with_ansible()
        result = _followed(action, controller.for_host(options), task_vars, show)
    if "plays" in result:
        result.update(playbill.told(result, options, str(task_vars["inventory_hostname"])))
    if show:
        printing.show(result)
    return result


def _followed(action: ActionBase, options: Options, task_vars: dict[str, Any], show: bool) -> dict[str, Any]:
    """Run the module; where people look on, print what it does while it does it."""
    if not show:
        return dict(action._execute_module(module_args=options, task_vars=task_vars))
    options["run"] = secrets.token_hex(8)
    with following.Follower(action, options["run"], printing.host_of_several(task_vars).replace(":", ": ")):
        return dict(action._execute_module(module_args=options, task_vars=task_vars))


def wanted(options: Options) -> Act:
    """Return the Act to rehearse, from a checked manifest.

    Raises:
        Refusal: the manifest is not right, or has no such Act.
    """
    items = [item for item in options["acts"] if isinstance(item, Mapping) and item.get("state") != "absent"]
    known = [str(item.get("name")) for item in items]
    if options["act"] not in known:
        raise Refusal(f"act: '{options['act']}' is no Act of this Production; known: {', '.join(known) or 'none'}")
    return manifest.parse({**options, "only": [options["act"]]}).acts[options["act"]]


def as_written(options: Options, base: str) -> Options:
    """Options in their types, with the texts of files that are named.

    Raises:
        Refusal: an option is unknown, of another type, or one too many.
    """
    found = controller.typed(options, spec.rehearsal())
    if bool(found["path"]) == bool(found["act"]):
        raise Refusal("give exactly one of path and act")
    problems = Problems()
    typed = controller.read_files(found, base, problems)
    problems.refuse()
    if typed["act"] and typed["lines"]:
        raise Refusal("lines: they are for 'path'; an Act's own lines stand in the manifest")
    if typed["act"] and not typed["production"]:
        raise Refusal(
            "production: is missing; an Act is one of a Production's, and a directory is rehearsed with 'path'"
        )
    return typed


def of_directory(options: Options) -> Options:
    """Return the manifest for an unknown directory: an Act with its name, and a Venue."""
    path = os.path.abspath(os.path.expanduser(options["path"]))
    words = re.sub(r"[^a-z0-9]+", "-", os.path.basename(path).lower())
    name = words.lstrip("-0123456789")[:32].strip("-") or "act"
    venue = options["venue"] or f"{name}.example.com"
    item: Options = {**options["lines"], "name": name, "source": {**options["lines"].get("source", {}), "path": path}}
    return {
        "act": name,
        "production": TRYOUT,
        "acts": [item],
        "sesses": [],
        "venues": [{"name": venue}],
        "gigs": [{"act": name, "venue": venue}],
    }
