# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""git on the controller: what its processes see, and how they reach a private repository."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ..module_utils.host.errors import Refusal
from ..module_utils.manifest.nouns import Source

TIMEOUT = 900
_SSH = "ssh -o BatchMode=yes"
_ENV = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": _SSH,
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
    "LC_ALL": "C.UTF-8",
}
# git runs it with its question. The answers are in its environment, in no argument that others could see, and
# another host than the repository's, such as that of a submodule, gets none.
_ASKPASS = r"""#!/bin/sh
case "$1" in
  *"://$BACKSTAGE_GIT_HOST'"* | *"@$BACKSTAGE_GIT_HOST'"*) ;;
  *) exit 1 ;;
esac
case "$1" in
  Username*) printf '%s\n' "$BACKSTAGE_GIT_USERNAME" ;;
  *) printf '%s\n' "$BACKSTAGE_GIT_PASSWORD" ;;
esac
"""


@contextmanager
def access(source: Source, base: str) -> Iterator[dict[str, str]]:
    """Return the variables with which git can read the source's repository.

    Raises:
        Refusal: the key is not on the controller.
    """
    env = {}
    if source.key:
        key = os.path.normpath(os.path.join(base, os.path.expanduser(source.key)))
        if not os.path.isfile(key):
            raise Refusal(f"there is no key {key} on the controller")
        env["GIT_SSH_COMMAND"] = f"{_SSH} -o IdentitiesOnly=yes -i {shlex.quote(key)}"
    if not source.password:
        yield env
        return
    with tempfile.TemporaryDirectory() as directory:
        helper = os.path.join(directory, "askpass")
        with open(helper, "w", encoding="utf-8") as file:
            file.write(_ASKPASS)
        os.chmod(helper, 0o700)
        yield {
            **env,
            "GIT_ASKPASS": helper,
            "BACKSTAGE_GIT_HOST": urlsplit(source.location).netloc,
            "BACKSTAGE_GIT_USERNAME": source.username,
            "BACKSTAGE_GIT_PASSWORD": source.password,
        }


def environment(env: dict[str, str]) -> dict[str, str]:
    """Return the controller's variables, without those that a git hook sets, and with ours."""
    return {**{key: value for key, value in os.environ.items() if not key.startswith("GIT_")}, **_ENV, **env}


def git(arguments: list[str], problem: str, env: dict[str, str]) -> str:
    """Return the output of git.

    Args:
        arguments: of git.
        problem: what a failure means to the reader.
        env: what `access` gave.

    Raises:
        Refusal: the problem, and the line of git's that tells why.
    """
    # no credential helper of the person who runs this: the manifest says what is used
    argv = ["git", *(["-c", "credential.helper="] if "GIT_ASKPASS" in env else []), *arguments]
    try:
        done = subprocess.run(
            argv, env=environment(env), capture_output=True, text=True, check=False, timeout=TIMEOUT, errors="replace"
        )
    except FileNotFoundError:
        raise Refusal("git is not installed on the controller; install it, or use a 'path' source") from None
    except subprocess.TimeoutExpired:
        raise Refusal(f"{problem} (no answer within {TIMEOUT // 60} minutes)") from None
    if done.returncode:
        raise Refusal(f"{problem} ({_telling_line(done.stderr)})")
    return done.stdout


def _telling_line(said: str) -> str:
    """Return the first line, with the reason of ssh or the server. git adds only that it could not continue."""
    lines = (line.strip() for line in said.splitlines())
    # two asterisks: what ssh thinks of the server's cryptography
    telling = (line for line in lines if line and not line.lower().startswith(("warning:", "**")))
    return next(telling, "git said nothing")
