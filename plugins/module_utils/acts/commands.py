# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run management commands beside a Sess: with its variables, its release's code, and as the player."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass
from typing import Any, Optional

from ..diagnosis import lookup
from ..host import masks, names, process
from ..host.errors import BackstageError, Refusal
from ..host.facts import Host
from ..manifest import checks
from ..state import history
from ..state.history import History
from ..state.read import ActState, read
from . import environments, steps

# Django's own commands that change nothing; commands of a project may do anything
_READ = frozenset(
    {
        "check",
        "diffsettings",
        "findstatic",
        "help",
        "inspectdb",
        "showmigrations",
        "sqlflush",
        "sqlmigrate",
        "sqlsequencereset",
        "version",
    }
)
# commands that change nothing if they have one of these options
_READ_WITH = {
    "collectstatic": {"--dry-run", "-n"},
    "makemigrations": {"--dry-run"},
    "migrate": {"--plan", "--check"},
    "optimizemigration": {"--check"},
}
_READ_WITHOUT = {"dumpdata": ("-o", "--output")}
# Django's createsuperuser prints this, and then exits as if it had succeeded
_SKIPPED = "skipped due to not running in a TTY"
_HELP = {"--help", "-h", "--version"}
_KEPT = 4 * 2**20
"""The bytes that are shown from the end of the output."""


@dataclass(frozen=True)
class Command:
    """A management command that can run.

    Args:
        words: the management command and its arguments.
        argv: the whole command line.
        user: the player.
        env: the variables of the Sess, and the PATH of its environment.
        cwd: the project's directory in the release.
        release: the release that plays.
        secrets: the values of the Sess's secrets.
        python: the Act's own Python.
        manage: its management program.
        history: the Act's history.
    """

    words: list[str]
    argv: list[str]
    user: process.User
    env: dict[str, str]
    cwd: str
    release: str
    secrets: list[str]
    python: str
    manage: str
    history: History


@dataclass(frozen=True)
class Ran:
    """How it ended."""

    code: int
    output: str
    error: Optional[BackstageError] = None


def split(line: str) -> list[str]:
    """Split a command line into words, like a shell.

    Raises:
        Refusal: it is not a management command.
    """
    problem = checks.command_line(line)
    if problem:
        raise Refusal(f"run: {line!r}: {problem}")
    words = shlex.split(line)
    if words[0].startswith("python") or words[0].endswith("manage.py") or words[0] == "django-admin":
        raise Refusal(f"run: {line!r}: give the management command alone, such as 'showmigrations'")
    return words


def changes(words: list[str], told: Optional[bool]) -> bool:
    """Return whether the command changes anything, as far as that can be known.

    Args:
        words: the command.
        told: the user's own statement, which overrides the guess.
    """
    if told is not None:
        return told
    command, options = words[0], {word.split("=", 1)[0] for word in words[1:]}
    if command in _READ or {command, *options} & _HELP or options & _READ_WITH.get(command, set()):
        return False
    return not (command in _READ_WITHOUT and not any(word.startswith(_READ_WITHOUT[command]) for word in words[1:]))


def undoes(words: list[str]) -> bool:
    """Return whether the command may undo migrations, or record some that were not applied."""
    named = [word for word in words[1:] if not word.startswith("-")]
    return words[0] == "migrate" and changes(words, None) and (len(named) > 1 or "--fake" in words)


def prepare(production: str, act: str, words: list[str]) -> Command:
    """Prepare the command with the variables, code and user of the live Sess.

    Raises:
        BackstageError: the Act does not play on this host.
    """
    state = _playing(production, act)
    record = state.releases[state.live_release or ""]
    environment = state.paths.production.environment(record["environment"])
    return Command(
        words=words,
        argv=argv(record["manage"], environment, words),
        user=process.User.named(names.player(production, act)),
        # unbuffered, so that output and errors come in the right order
        env={**state.live_env, **environments.entered(environment), "PYTHONUNBUFFERED": "1"},
        cwd=os.path.normpath(os.path.join(state.paths.release(record["release"]).code, record["project"])),
        release=record["release"],
        secrets=state.hidden,
        python=os.path.join(environment, "bin", "python"),
        manage=record["manage"],
        history=state.history,
    )


def _playing(production: str, act: str) -> ActState:
    found = read(production, Host.read())
    subject = f"act {act}"
    if act not in found.acts or not found.acts[act].exists:
        known = ", ".join(name for name, state in sorted(found.acts.items()) if state.exists) or "none"
        raise BackstageError(f"it is no Act of the Production '{production}' here; known: {known}", subject, "manage")
    state = found.acts[act]
    if state.live_release not in state.releases:
        is_built = "it is built and does not play" if state.releases else "it is not built"
        raise BackstageError(
            f"{is_built}, and a command needs the variables of a Sess: book it, or give it a Sess in backstage_sesses,"
            " and run backstage.django.deploy",
            subject,
            "manage",
        )
    return state


def argv(manage: str, environment: str, words: list[str]) -> list[str]:
    """Return the command line of the Act's management program with these words."""
    python = os.path.join(environment, "bin", "python")
    if manage.startswith("-m "):
        return [python, "-m", manage[3:], *words]
    if manage.endswith(".py"):
        return [python, manage, *words]
    return [os.path.join(environment, "bin", manage), *words]


def run(command: Command, act: str, timeout: float) -> Ran:
    """Run it to its end. The output contains no secret of the Sess."""
    if undoes(command.words):
        command.history.add(history.MOVED, run=shlex.join(command.words))
    argv = [command.python, "-", "command", json.dumps({"manage": command.manage, "words": command.words})]
    result = process.run(
        argv, command.user, command.env, command.cwd, steps.SCRIPT, timeout=timeout, together=True, keep=_KEPT
    )
    output = masks.mask(result.out, command.secrets)
    if result.ok and _SKIPPED not in output:
        return Ran(0, output)
    line = shlex.join(command.words)
    if result.late:
        cause = f"'{line}' was killed after {timeout:.0f} s: raise 'timeout'"
    else:
        cause = f"'{line}' ended with status {result.code}: {lookup.find(output) or _telling(output)}"
    return Ran(result.code or 1, output, BackstageError(masks.mask(cause, command.secrets), f"act {act}", "manage"))


def _telling(output: str) -> str:
    """Return the most useful line of a failure: an error, or the last line."""
    lines = [found.strip() for found in output.splitlines() if found.strip()]
    errors = [found for found in lines if re.search(r"Error\b|Unknown command", found)]
    return (errors or lines or ["it printed nothing"])[-1]


def applied_migrations(production: str, act: str) -> list[list[str]]:
    """Return the migrations that the live Act's database has, from its own code. Nothing is changed.

    Raises:
        BackstageError: the Act does not play, or its database does not answer.
    """
    command = prepare(production, act, ["check"])
    found = steps.run("applied", {"manage": command.manage}, command.python, command.user, command.env, command.cwd)
    migrations: list[list[str]] = found["applied"]
    return migrations


def as_result(command: Command, ran: Optional[Ran], changed: bool) -> dict[str, Any]:
    """Return the module's result. In check mode, nothing may have run."""
    line = masks.mask(shlex.join(command.argv), command.secrets)
    result = {
        "changed": changed,
        "command": line,
        "release": command.release,
        "rc": ran.code if ran else 0,
        "stdout": ran.output.rstrip("\n") if ran else "",
        "stdout_lines": ran.output.splitlines() if ran else [],
    }
    return result if ran else {**result, "note": f"check mode; this would be run: {line}"}
