# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed on a host, from two looks at it, in the form of a plan: the plan itself is not asked.

A look at a Production is what backstage_info answers ("info"), and what on_host/state.py sees ("seen").
"""

from __future__ import annotations

import json
from typing import Any

Look = dict[str, Any]
Entry = dict[str, Any]

LEAVING = {"venues left", "ports left"}  # what the plan says where a look finds these
LEFT = ["variable BACKSTAGE_HOSTS changed", "variable BACKSTAGE_ORIGINS changed"]


def entry(noun: str, name: str, verb: str, before: Any = None, after: Any = None) -> Entry:
    return {"noun": noun, "name": name, "verb": verb, "before": before, "after": after}


def differing(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before[key] for key in keys if key in before}, {key: after[key] for key in keys if key in after}


def effects(before: Look, after: Look) -> list[Entry]:
    """All that changed from one look to the next."""
    acts = sorted({*before["seen"]["acts"], *after["seen"]["acts"]})
    found = [change for name in acts for change in _act(name, _one(before, name), _one(after, name))]
    root = f"/srv/backstage/{before['production']}"
    if before["seen"]["root"] and not after["seen"]["root"]:
        found.append(entry("production", before["production"], "strike", root))
    booked = _venues(before, after) + _ports(before, after)
    if not booked and before["seen"]["workers"] != after["seen"]["workers"]:
        booked.append(entry("venue", "all", "reload"))
    return found + booked


def _ports(before: Look, after: Look) -> list[Entry]:
    """Where nginx listens for a Sess: a file whose name begins with an underscore, and says so in its second line."""
    found = []
    files = before["seen"]["files"], after["seen"]["files"]
    for name in sorted({file for look in files for file in look if "._" in file}):
        texts = [look.get(name) for look in files]
        told = [json.loads(text.splitlines()[1].partition(": ")[2]) if text else None for text in texts]
        act = next(block["act"] for block in told if block)
        where = [f"localhost:{block['port']}{block['path']}" if block else None for block in told]
        if where[0] != where[1]:
            found.append(entry("sess", act, "listen" if where[1] else "unlisten", *where))
        elif texts[0] != texts[1]:
            found.append(entry("sess", act, "rewrite", *texts))
    return found


def _one(look: Look, name: str) -> Look:
    """One Act as it was seen; an empty look where it is not."""
    told = look["info"]["acts"].get(name, {})
    seen = look["seen"]["acts"].get(name, {})
    sess = look["info"]["sesses"].get(name, {})
    return {
        "there": bool(seen),
        "act": seen.get("record", {}).get("act", {}),
        "modes": seen.get("modes", {}),
        "release": told.get("release"),
        "held": told.get("held"),
        "sealed": set(told.get("releases", {})),
        "history": told.get("history", []),
        "unsealed": set(seen.get("unsealed", [])),
        "sess": sess.get("sess"),
        "plays": told.get("live"),
        "left": set(seen.get("sesses", [])) - {sess.get("sess")},
        "started": sess.get("sess") in seen.get("vassals", []),
        "options": {
            "processes": sess.get("processes"),
            "threads": sess.get("threads"),
            "timeout": seen.get("timeout"),
        },
        "env": seen.get("env", {}),
        "secrets": set(seen.get("secrets", [])),
    }


def _act(name: str, before: Look, after: Look) -> list[Entry]:
    found = _record(name, before, after)
    kept = {path: after["modes"].get(path) for path in before["modes"]}
    if all(kept.values()) and kept != before["modes"]:
        found.append(entry("act", name, "mend", *differing(before["modes"], kept)))
    found += [entry("act", name, "sweep", release) for release in sorted(before["unsealed"] - after["unsealed"])]
    built = sorted(after["sealed"] - before["sealed"])
    found += [entry("act", name, "build", before["plays"], release) for release in built]
    for event in after["history"][len(before["history"]) :]:
        if event["event"] == "migrated":
            found.append(entry("act", name, "migrate", None, _migrated(event, before["sealed"])))
        if event["event"] == "seed done":
            found.append(entry("act", name, "seed", None, event["seed"]))
    if before["held"] and not after["held"] and after["act"]:
        found.append(entry("act", name, "unhold", before["held"]))
    if after["act"]:  # those of an Act that is removed go with it
        gone = sorted(before["sealed"] - after["sealed"])
        found += [entry("act", name, "discard", release) for release in gone]
    if before["there"] and not after["there"]:
        found.append(entry("act", name, "delete data", "data and media"))
    return found + _sess(name, before, after)


def _migrated(event: dict[str, Any], sealed: set[str]) -> Any:
    """Return what a plan says: it names the migrations of a release that was built before."""
    release, applied = event["release"], event["applied"]
    return {"release": release, "pending": sorted(applied)} if release in sealed else release


def _record(name: str, before: Look, after: Look) -> list[Entry]:
    if not before["act"] and after["act"]:
        return [entry("act", name, "add", None, after["act"])]
    if before["act"] and not after["act"]:
        return [entry("act", name, "remove", None)]
    old, new = differing({**before["act"], "release": before["release"]}, {**after["act"], "release": after["release"]})
    return [entry("act", name, "change", old, new)] if old or new else []


def _sess(name: str, before: Look, after: Look) -> list[Entry]:
    if before["sess"] and not after["sess"]:
        return [entry("sess", name, "stop", {"release": before["plays"]})]
    found = []
    if before["sess"] != after["sess"]:
        back = bool(after["held"]) and after["held"] == before["plays"] != after["plays"]
        old = {"release": before["plays"]} if before["sess"] else None
        new = {"release": after["plays"], "because": _because(before, after)}
        found.append(entry("sess", name, "roll back" if back else "play", old, new))
    return found + [entry("sess", name, "sweep", sess) for sess in sorted(before["left"] - after["left"])]


def _because(before: Look, after: Look) -> list[str]:
    """Why another Sess plays."""
    if not before["sess"]:
        return ["nothing plays"]
    if before["plays"] != after["plays"]:
        return ["release"]
    found = [] if before["started"] else ["it is not started"]
    for key in sorted({*before["env"], *after["env"]}):
        if before["env"].get(key) != after["env"].get(key):
            secret = key in before["secrets"] | after["secrets"]
            found.append(f"{'secret' if secret else 'variable'} {key} changed")
    for key, old in before["options"].items():
        if old != after["options"][key]:
            found.append(f"{key}: {old} -> {after['options'][key]}")
    return found or ["uwsgi.ini"]


def _venues(before: Look, after: Look) -> list[Entry]:
    old, new = before["info"]["venues"], after["info"]["venues"]
    found = [change for name in sorted({*old, *new}) for change in _venue(name, old.get(name), new.get(name))]
    for name in sorted({*old} & {*new}):
        file = f"{new[name]['production']}.{name}.conf"
        texts = before["seen"]["files"].get(file), after["seen"]["files"].get(file)
        if old[name] == new[name] and texts[0] != texts[1]:
            found.append(entry("venue", name, "rewrite", *texts))
    return found


def _venue(name: str, before: Look | None, after: Look | None) -> list[Entry]:
    found = []
    if before is None and after is not None:
        found.append(entry("venue", name, "add", None, {key: after[key] for key in ("aliases", "state", "tls")}))
    if before is not None and after is None:
        found.append(entry("venue", name, "remove", {key: before[key] for key in ("aliases", "tls")}))
    if before is not None and after is not None:
        if before["state"] != after["state"]:
            verb = {"open": "open", "closed": "close"}[after["state"]]
            found.append(entry("venue", name, verb, before["state"], after["state"]))
        old, new = differing(*({key: block[key] for key in ("aliases", "tls")} for block in (before, after)))
        if old or new:
            found.append(entry("venue", name, "change", old, new))
    return found + _gigs(name, before, after)


def _gigs(venue: str, before: Look | None, after: Look | None) -> list[Entry]:
    old, new = ({gig["path"]: gig["act"] for gig in (block or {}).get("gigs", [])} for block in (before, after))
    found = []
    moved = {path: gone for path, act in new.items() for gone in old if old[gone] == act and gone not in new}
    for path in sorted({*old, *new} - {*moved.values()}):
        was, now = old.get(path), new.get(path)
        if path in moved:
            found.append(entry("gig", f"{now} at {venue}{path}", "move", moved[path], path))
        elif was != now:
            verb = "book" if was is None else "cancel" if now is None else "rebook"
            found.append(entry("gig", f"{now or was} at {venue}{path}", verb, was, now))
    return found


def words(plan: list[Entry]) -> list[str]:
    """A plan as changes.yml writes it."""
    return [_words(step) for step in plan]


def _words(step: Entry) -> str:
    because = (step["after"] or {}).get("because") if isinstance(step["after"], dict) else None
    return f"{step['verb']} {step['noun']} {step['name']}" + (f" ({', '.join(because)})" if because else "")


def visible(plan: list[Entry]) -> list[Entry]:
    """A plan as two looks can see it, in the order of looks: what was before the first step and after the last."""
    found: dict[tuple[str, str, str], Entry] = {}
    for number, step in enumerate(plan):
        seen = _visible(step)
        key = (seen["noun"], seen["name"], "play" if seen["verb"] == "play" else str(number))
        found[key] = _merged(found[key], seen) if key in found else seen
    return ordered(list(found.values()))


def _visible(step: Entry) -> Entry:
    if (step["noun"], step["verb"]) == ("sess", "remove"):
        return {**step, "verb": "stop"}  # it is gone, one way or the other
    if (step["noun"], step["verb"]) == ("act", "remove"):
        return {**step, "before": None}  # the release that played stands with its Sess
    if (step["noun"], step["verb"]) == ("sess", "play") and LEAVING.issuperset(step["after"]["because"]):
        return {**step, "after": {**step["after"], "because": LEFT}}
    return step


def _merged(first: Entry, last: Entry) -> Entry:
    """Two Sesses of one run, of which only the last plays when one looks."""
    because = first["after"]["because"]
    if because not in (["release"], ["nothing plays"]):
        because = sorted({*because, *last["after"]["because"]})
    return {**first, "after": {**last["after"], "because": because}}


def ordered(plan: list[Entry]) -> list[Entry]:
    return sorted(plan, key=lambda step: (step["noun"], step["name"], step["verb"], str(step["before"])))
