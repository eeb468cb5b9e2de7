# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rehearsal found, for people: lines of the manifest to paste, each with its reason, and what is missing."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml

Item = dict[str, Any]

ORDER = (
    *("name", "source", "requirements", "index", "packages", "chdir", "manage", "settings", "application"),
    *("files", "env", "secrets", "database", "writable", "build", "static", "health"),
)
WIDTH = 118


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are, and lists below their key as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
# what came by Ansible's templates is of classes of its own
_Dumper.add_multi_representer(str, lambda dumper, text: _text(dumper, str(text)))


def told(result: Item, options: Item, host: str) -> Item:
    """Return the manifest as data, and the whole report as text."""
    exact = not options.get("path")
    act = result["act"]
    result = {**result, "found": {key: value for key, value in result["found"].items() if key not in act}}
    if exact:
        act = {key: value for key, value in act.items() if key in ("name", *result["lacking"])}
    manifest: Item = {"backstage_acts": [act]}
    if result.get("sess"):
        manifest["backstage_sesses"] = [result["sess"]]
    if not exact:
        manifest.update(backstage_venues=options["venues"], backstage_gigs=options["gigs"])
    text = "\n\n".join(part for part in _parts(result, manifest, options, host) if part)
    return {"manifest": manifest, "stdout": text, "stdout_lines": text.splitlines()}


def _parts(result: Item, manifest: Item, options: Item, host: str) -> list[str]:
    exact = not options.get("path")
    return [
        _headline(result, options, host),
        f"--- end of the log ---\n{result['log']}" if result["log"] else "",
        _plan(result) if exact else "",
        lines(manifest, result) if not exact or result["lacking"] else _found(result["found"]),
        _list("Tried, in vain:", result["tried"]),
        _list("What is missing:", result["missing"]),
        _migrations(result, exact),
        _list("Django's check --deploy says:", _few_of_a_kind(result["warnings_of_django"])),
        _left(bool(options.get("keep", True)), host),
    ]


def _few_of_a_kind(warnings: list[str]) -> list[str]:
    """Warnings with the same identifier are of one kind: of more than three the first two are shown."""
    kinds: dict[str, list[str]] = {}
    for warning in warnings:
        kinds.setdefault(warning.partition(": ")[0], []).append(warning)
    few = {kind: [*said[:2], f"{kind}: {len(said) - 2} more"] if said[3:] else said for kind, said in kinds.items()}
    return [line for said in few.values() for line in said]


def _left(keep: bool, host: str) -> str:
    if keep:
        return f"Of this rehearsal its packages are left on {host}, for the next one; -e keep=false leaves nothing."
    return f"Nothing of this rehearsal is left on {host}."


def _headline(result: Item, options: Item, host: str) -> str:
    about = f"Rehearsal of {result['act']['name']}" + (f" ({options['path']})" if options.get("path") else "")
    if not result["plays"]:
        return f"{about} on {host}: it does not play yet. {result['step']}: {result['error']}"
    path = result["act"].get("health", {}).get("path", "/")
    if result["lacking"]:
        return f"{about} on {host}: it plays with lines that the manifest lacks. It was asked for {path}."
    return f"{about} on {host}: it plays. It was asked for {path} at its own door."


def _plan(result: Item) -> str:
    steps = [f"{step['verb']} {step['noun']} {step['name']}{_change(step)}" for step in result["plan"]]
    return _list("A deploy would:", steps) if steps else "A deploy would change nothing."


def _change(step: Item) -> str:
    before, after = step["before"], step["after"]
    if isinstance(after, dict):
        return f": release {after['release']} ({', '.join(after['because'])})" if "because" in after else ""
    return f": {before} -> {after}" if before and after else f": {after}" if after else ""


def _migrations(result: Item, exact: bool) -> str:
    if not result["plays"]:
        return ""
    said = []
    if exact:
        said.append(_list("Migrations that a deploy would apply:", result["pending"]) or "No migration is pending.")
    if result["applied"]:
        said.append(f"{len(result['applied'])} migrations were applied to an empty database of the rehearsal's own.")
    if result["unwritten"]:
        said.append(
            f"Models of {', '.join(result['unwritten'])} have changes that no migration has: run makemigrations."
        )
    return "\n".join(said)


def _list(title: str, items: list[str]) -> str:
    return "\n".join([title, *(f"  - {item}" for item in items)]) if items else ""


def lines(manifest: Item, result: Item) -> str:
    """Return the inventory variables as YAML with the reasons as comments."""
    (act,) = manifest["backstage_acts"]
    keys = [*(key for key in ORDER if key in act), *(key for key in act if key not in ORDER)]
    body = "".join(_key(key, act[key], result["because"].get(key, []), key == "name") for key in keys)
    known = _found(result["found"])
    found = "".join(_comment(said) for said in [known, *result.get("notes", [])] if said)
    rest = {key: value for key, value in manifest.items() if key != "backstage_acts"}
    reasons = {"backstage_sesses": "".join(map(_comment, result.get("sess_because", [])))}
    booked = "".join(
        f"{key}:\n{reasons.get(key, '')}" + "".join(f"  - {_flow(item)}\n" for item in items)
        for key, items in rest.items()
    )
    return f"backstage_acts:\n{body}{found}{booked}".rstrip("\n")


def _found(found: Item) -> str:
    known = ", ".join(f"{key}: {_flow(value)}" for key, value in found.items() if value)
    return f"found, and needs no line: {known}" if known else ""


def _key(key: str, value: Any, because: list[str], first: bool) -> str:
    if key == "files":
        text = yaml.dump({key: value}, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=WIDTH)
    else:
        text = f"{key}: {_flow(value)}\n"
    comments = "".join(_comment(reason) for reason in because)
    return comments + textwrap.indent(text, "    ") if not first else "  - " + text


def _comment(reason: str) -> str:
    """Return a reason as a comment on one line, so that it can be searched for."""
    return f"    # {' '.join(reason.split())}\n"


def _flow(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10000).split("\n...")[0].strip()
