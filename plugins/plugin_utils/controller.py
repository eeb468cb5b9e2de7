# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's half of a module that needs sources: check, resolve, ask the host, ship what it lacks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils.host.errors import Refusal
from ..module_utils.manifest import parse as manifest
from ..module_utils.manifest import spec
from ..module_utils.manifest import values as written
from ..module_utils.manifest.nouns import Act, Manifest
from ..module_utils.manifest.problems import Problems
from . import lifetimes, pointing, resolving, variables

Options = dict[str, Any]
DEFAULTS = ("act_defaults", "sess_defaults", "venue_defaults")
NOUNS = ("acts", "sesses", "venues", "gigs", *DEFAULTS)
"""The options whose insides are the manifest's."""


def as_written(options: Options) -> Options:
    """Options in their types: from the command line all are text. What is inside the nouns is checked later.

    Raises:
        Refusal: an option is unknown or of another type.
    """
    return typed(options, spec.production())


def typed(options: Options, whole: spec.Spec) -> Options:
    """Return the options of a module with their types, without those inside the nouns.

    Raises:
        Refusal: an option is unknown or of another type; it is called as the playbooks have it.
    """
    shape = {key: {k: v for k, v in rule.items() if k != "options"} for key, rule in whole.items()}
    problems = Problems()
    for key, value in options.items():
        if key not in shape:
            problems.add(key, None, f"unknown option{written.nearest(key, shape)}")
        elif key not in NOUNS and value is not None:
            written.check_value(value, shape[key], variables.OPTIONS.get(key, key), problems)
    for key in NOUNS:
        given = options.get(key)
        if given is not None and not isinstance(given, dict if key in DEFAULTS else list):
            what = written.NO_DICTIONARY if key in DEFAULTS else written.NO_LIST
            problems.add(variables.OPTIONS[key], given if isinstance(given, str) else None, what)
    problems.refuse()
    # the nouns are not copied: nothing changes them, and there may be thousands
    plain = {key: rule for key, rule in shape.items() if key not in NOUNS}
    result = ArgumentSpecValidator(plain).validate({key: options[key] for key in options if key in plain})
    if result.error_messages:
        raise Refusal("\n".join(result.error_messages))
    nouns = {key: options.get(key) or shape[key]["default"] for key in NOUNS if key in shape}
    return {**result.validated_parameters, **nouns}


KEPT_HERE = ("key", "username", "password")
"""What a source says to the controller alone: no host needs to reach a repository."""


def for_host(options: Options) -> Options:
    """Return the options that a host may see."""
    sent = {**options, "acts": [_without_credentials(act) for act in options.get("acts") or []]}
    defaults = options.get("act_defaults")
    return {**sent, "act_defaults": _without_credentials(defaults)} if defaults else sent


def _without_credentials(act: Any) -> Any:
    source = act.get("source") if isinstance(act, Mapping) else None
    if not isinstance(source, Mapping):
        return act
    return {**act, "source": {key: value for key, value in source.items() if key not in KEPT_HERE}}


def read_files(options: Options, base: str, problems: Problems) -> Options:
    """Replace every ``src`` of an Act's files by its content: a host never sees the controller's paths."""
    defaults = options.get("act_defaults")
    read = {**options, "acts": [_with_contents(act, base, problems) for act in options.get("acts") or []]}
    return {**read, "act_defaults": _with_contents(defaults, base, problems)} if defaults else read


def _with_contents(act: Any, base: str, problems: Problems) -> Any:
    listed = act.get("files") if isinstance(act, Mapping) else None
    if not isinstance(listed, list):
        return act
    return {**act, "files": [_read_file(item, base, act.get("name"), problems) for item in listed]}


def _read_file(item: Any, base: str, act: Any, problems: Problems) -> Any:
    if not isinstance(item, Mapping) or item.get("src") is None:
        return item
    where = f"backstage_acts[{act}].files[{item.get('path')}].src"
    path = os.path.join(base, os.path.expanduser(str(item["src"])))
    try:
        with open(path, encoding="utf-8") as file:
            content = file.read()
    except (OSError, UnicodeDecodeError) as error:
        problems.add(where, None, f"{path} can't be read as text ({error})")
        content = ""
    return {**{key: value for key, value in item.items() if key != "src"}, "content": content}


def elsewhere(wanted: Manifest, host: str, groups: Mapping[str, list[str]], problems: Problems) -> list[str]:
    """Return the Acts that do not play on this host. An Act without a host, or with several, is a problem."""
    others = []
    for name, sess in wanted.sesses.items():
        hosts = groups.get(sess.hosts, [sess.hosts] if sess.hosts in groups.get("all", []) else [])
        where = f"backstage_sesses[{name}].hosts"
        if not hosts:
            problems.add(where, sess.hosts, "is no group or host of the inventory; use one, such as backstage_stage")
        if len(hosts) > 1:
            problems.add(
                where,
                sess.hosts,
                f"has {len(hosts)} hosts; an Act on several hosts is not built yet:"
                f" write {{act: {name}, hosts: {hosts[0]}}} into backstage_sesses, or another of the hosts",
            )
        if host not in hosts:
            others.append(name)
    return others


def run(action: ActionBase, options: Options, task_vars: dict[str, Any]) -> dict[str, Any]:
    """Check and resolve the whole manifest, then have the host do it.

    Raises:
        Refusal: before any host is touched.
    """
    base = str(task_vars.get("inventory_dir") or os.getcwd())
    problems = Problems()
    variables.check(task_vars, problems)
    options = read_files(as_written(options), base, problems)
    wanted = manifest.read({**options, "checked": False}, problems)
    host = str(task_vars["inventory_hostname"])
    options["elsewhere"] = elsewhere(wanted, host, task_vars.get("groups") or {}, problems)
    if task_vars.get(variables.DNS) and not options.get("rollback"):
        pointing.names(wanted, task_vars.get("groups") or {}, task_vars.get("hostvars") or {}, problems)
    problems.refuse()
    options["checked"] = True
    about = next((options[verb] for verb in spec.VERBS if options.get(verb)), None)
    if about in options["elsewhere"]:
        return {"changed": False, "plan": [], "diff": []}
    through = options.get("through") or "play"
    if not about and options.get("state") != "absent":
        here = [act for act in wanted.acts.values() if act.name not in options["elsewhere"] or through == "resolve"]
        chosen = options.get("only") or [act.name for act in here]
        options["resolved"] = resolving.resolve([act for act in here if act.name in chosen], base)
    if through == "resolve":
        return {"changed": False, "resolved": options["resolved"]}
    result = _ask_and_ship(action, for_host(options), wanted.acts, base, task_vars)
    if options.get("version"):
        written = {item["name"]: (item.get("source") or {}).get("version") for item in options["acts"]}
        said = [f"{name} {written[name]}" for name in options.get("only") or [] if written[name] != options["version"]]
        if said:
            note = f"version {options['version']} is this run's alone; the manifest says {', '.join(said)}"
            result.setdefault("warnings", []).append(note)
    return result


def run_act(action: ActionBase, options: Options, task_vars: dict[str, Any]) -> dict[str, Any]:
    """Resolve one Act's source, where it is given, then have the host do it.

    Raises:
        Refusal: before the host is touched.
    """
    base = str(task_vars.get("inventory_dir") or os.getcwd())
    problems = Problems()
    options = read_files({"acts": [options]}, base, problems)["acts"][0]
    acts: dict[str, Act] = {}
    if options.get("source") and options.get("state") != "absent":
        acts = manifest.read({"production": options.get("production", ""), "acts": [only_act(options)]}, problems).acts
    problems.refuse()
    if acts:
        options["resolved"] = resolving.resolve(list(acts.values()), base)
    return _ask_and_ship(action, _without_credentials(options), acts, base, task_vars)


def only_act(options: Options) -> Options:
    return {key: value for key, value in options.items() if key in spec.act()}


def _ask_and_ship(
    action: ActionBase, options: Options, acts: Mapping[str, Act], base: str, task_vars: dict[str, Any]
) -> dict[str, Any]:
    """Run the module; once more with the sources that its host lacked."""
    lifetimes.end_with_ansible()
    result: dict[str, Any] = action._execute_module(module_args=options, task_vars=task_vars)
    if result.get("missing") and not result.get("failed") and not action._task.check_mode:
        unknown = [name for name in result["missing"] if name not in acts]
        if unknown:
            raise Refusal(f"source: {', '.join(unknown)} must be built again; give its source")
        options["shipped"], options["unavailable"], asked = {}, {}, result
        for name in result["missing"]:
            try:
                packed = resolving.pack(acts[name], options["resolved"][name]["content"], base)
            except Refusal as refusal:
                options["unavailable"][name] = str(refusal)  # other Acts go on without it
            else:
                options["shipped"][name] = ship(action, packed)
        result = action._execute_module(module_args=options, task_vars=task_vars)
        if result.get("missing") and not result.get("failed"):
            gone = ", ".join(result["missing"])
            problem = f"source: another run took the releases of {gone} off this host meanwhile; run again"
            result.update(failed=True, msg=problem)
        said = result.get("warnings") or []
        more = [warning for warning in asked.get("warnings") or [] if warning not in said]
        if more:  # such as for whom it waited
            result["warnings"] = more + said
    return result


def ship(action: ActionBase, item: dict[str, str]) -> dict[str, str]:
    """Put a packed source into the temporary directory of this connection."""
    shell = action._connection._shell
    if not shell.tmpdir:
        action._make_tmp_path()
    remote = shell.join_path(shell.tmpdir, item["sha256"])
    action._transfer_file(item["path"], remote)
    return {"path": remote, "sha256": item["sha256"]}
