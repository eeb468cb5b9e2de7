# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan in words: one numbered line for each step, in the order in which a run makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from ..host import tables
from .plan import Step

Diff = dict[str, str]


def diff(steps: list[Step]) -> list[Diff]:
    """Return a plan in Ansible's diff form: the words, then the lines that differ in files that are written again."""
    if not steps:
        return []
    return [{"prepared": "\n".join(lines(steps)) + "\n"}, *(step.diff() for step in steps if _is_text(step))]


def lines(steps: Iterable[Step]) -> list[str]:
    """Return the steps in words, each with what it is about. The values of a change follow in lines of their own."""
    found = []
    for number, step in enumerate(steps, 1):
        found.append(tables.clean(f"{number:>3}. {subject(step)}: {said(step)}"))
        if step.verb == "change" and isinstance(step.before, dict) and isinstance(step.after, dict):
            found += [f"       {line}" for line in _changes(step.before, step.after)]
    return found


def subject(step: Step) -> str:
    """Return what a step is about: an Act, a Venue, or what else has a name."""
    if step.noun == "gig":
        return _venue(step.name)[0]
    if step.noun == "venue" and step.name == "all":
        return "nginx"
    return step.name.partition("/")[0] if step.noun == "timer" else step.name


def said(step: Step) -> str:
    """Return a step in words. One that has no words of its own is told by its verb and its values."""
    words = _WORDS.get((step.noun, step.verb))
    return words(step) if words else f"{step.verb} {step.noun}{_values(step.before, step.after)}"


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the keys that differ, with both values; inside a dictionary the inner keys."""
    found = []
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += [f"{key}.{line}" for line in _changes(old, new)]
        elif old != new:
            found.append(f"{key}: {_value(old)} -> {_value(new)}")
    return [tables.clean(line) for line in found]


def _values(before: Any, after: Any) -> str:
    told = [_value(value) for value in (before, after) if value is not None]
    return f": {' -> '.join(told)}" if told else ""


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(item)}" for key, item in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "nothing"
    return str(value) if value != "" else "''"


def _is_text(step: Step) -> bool:
    return any(isinstance(value, str) and "\n" in value for value in (step.before, step.after))


def _venue(gig: str) -> tuple[str, str]:
    """Return Venue and path of a Gig's name, such as ``kittens at kittens.example.com/blog``."""
    venue, _slash, path = gig.partition(" at ")[2].partition("/")
    return venue, "/" + path


def _build(step: Step) -> str:
    return f"build release {step.after}" + (f"; {step.before} plays on meanwhile" if step.before else "")


def _migrate(step: Step) -> str:
    if not isinstance(step.after, dict):
        return f"migrate the database for release {step.after}; which migrations are pending is not known before"
    pending = step.after["pending"]
    return f"migrate the database: {', '.join(pending)}" if pending else "migrate the database: nothing is pending"


def _play(step: Step) -> str:
    release, because = step.after["release"], ", ".join(step.after["because"])
    old = (step.before or {}).get("release")
    if not old:
        return f"start release {release}, and ask it for its page; then visitors come to it"
    what = f"switch from release {old} to {release}" if old != release else f"switch to another Sess of release {old}"
    if step.verb == "roll back":
        what = f"roll back from release {old} to {release}, and hold {old}"
    return f"{what}: start it, ask it for its page, switch visitors, drain the old one (because: {because})"


def _stop(step: Step) -> str:
    until = f" until {step.after['until']}" if step.after else ""
    return f"finish the requests of release {_release(step.before)}, and stop it{until}"


def _release(value: Any) -> str:
    return str((value or {}).get("release") or "that plays")


def _add_venue(step: Step) -> str:
    told = {key: value for key, value in step.after.items() if value not in ([], "", None, 0)}
    return f"create the Venue ({_value(told)})"


def _passwords(step: Step) -> str:
    told = [f"set those of {_value(step.after)}"] if step.after else []
    return f"passwords: {'; '.join([*told, *([f'remove {_value(step.before)}'] if step.before else [])])}"


def _calendar(step: Step) -> str:
    """A Venue's coming week; a value of None has no schedule."""
    return f"follow the calendar: {'; '.join(step.after)}" if step.after else "follow no calendar any more"


def _restore(step: Step) -> str:
    return f"restore the databases from the dump of release {_release(step.after)}, made {step.after['at']}"


def _gig(text: str) -> Callable[[Step], str]:
    return lambda step: text.format(path=_venue(step.name)[1], before=step.before, after=step.after)


def _text(text: str) -> Callable[[Step], str]:
    return lambda step: text.format(before=_value(step.before), after=_value(step.after))


def _timer(text: str) -> Callable[[Step], str]:
    return lambda step: text.format(timer=step.name.partition("/")[2], before=step.before, after=step.after)


_WORDS: dict[tuple[str, str], Callable[[Step], str]] = {
    ("act", "add"): _text("record the Act as the manifest has it"),
    ("act", "change"): _text("record what the manifest says of the Act now"),
    ("act", "mend"): _text("repair users and modes that were changed by hand: {before}"),
    ("act", "build"): _build,
    ("act", "migrate"): _migrate,
    ("act", "hook"): _text("run the hook {after}"),
    ("act", "seed"): _text("run the seed {after}"),
    ("act", "discard"): _text("remove release {before}, which is beyond keep_releases"),
    ("act", "sweep"): _text("remove what an interrupted run left: {before}"),
    ("act", "hold"): _text("hold release {after}: no deploy takes it again until the hold ends"),
    ("act", "unhold"): _text("end the hold of release {before}"),
    ("act", "rename"): _text("rename it, with its data, from {before}"),
    ("act", "restore"): _restore,
    ("act", "remove"): _text("remove the Act; its data, its history and its users stay"),
    ("act", "delete data"): _text("delete its {before}, and its users"),
    ("act", "create database"): _text("create the database {after}"),
    ("act", "close database"): _text("close its database to others: {before}"),
    ("sess", "play"): _play,
    ("sess", "roll back"): _play,
    ("sess", "stop"): _stop,
    ("sess", "sweep"): _text("remove the Sess {before}, which an interrupted run left"),
    ("sess", "remove"): _text("finish its requests, and remove its Sess"),
    ("sess", "start workers"): _text("start its workers again ({after})"),
    ("sess", "listen"): _text("have nginx listen at {after}"),
    ("sess", "unlisten"): _text("have nginx listen no more at {before}"),
    ("sess", "rewrite"): _text("write nginx's file of its port again"),
    ("timer", "add"): _timer("add the timer {timer}, {after}"),
    ("timer", "change"): _timer("change the timer {timer}: {before} -> {after}"),
    ("timer", "remove"): _timer("remove the timer {timer}, {before}"),
    ("venue", "add"): _add_venue,
    ("venue", "change"): _text("change the Venue"),
    ("venue", "open"): _text("open the Venue"),
    ("venue", "close"): _text("close the Venue"),
    ("venue", "rename"): _text("rename it, with its certificates and logs, from {before}"),
    ("venue", "schedule"): _calendar,
    ("venue", "start timer"): _text("start the timer that follows calendars"),
    ("venue", "stop timer"): _text("stop the timer that follows calendars: no Venue has one"),
    ("venue", "rewrite"): _text("write nginx's file of the Venue again"),
    ("venue", "reload"): _text("have nginx read its files, which changed"),
    ("venue", "remove"): _text("remove the Venue"),
    ("venue", "certify"): _text("new certificate: {after}"),
    ("venue", "set passwords"): _passwords,
    ("gig", "book"): _gig("book {after} at {path}"),
    ("gig", "rebook"): _gig("book {after} at {path} in the place of {before}"),
    ("gig", "move"): _gig("move it from {before} to {after}"),
    ("gig", "schedule"): _gig("play at {path} at other times: {after}; before: {before}"),
    ("gig", "cancel"): _gig("cancel {before} at {path}"),
    ("production", "register"): _text("register an account with the certificate authority: {after}"),
    ("production", "strike"): _text("remove the Production, {before}"),
}


def known() -> set[tuple[str, str]]:
    """Return the steps that have words of their own: noun and verb."""
    return set(_WORDS)
