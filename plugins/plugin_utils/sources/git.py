# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources in git: a tag, a branch or a commit of a repository, resolved and fetched on the controller."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess

from ...module_utils.errors import Refusal
from ...module_utils.nouns import Source

COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_ENV = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
    "LC_ALL": "C.UTF-8",
}


def location(source: Source, base: str) -> str:
    """The repository; a path that begins with a dot is relative to the inventory."""
    if source.location.startswith(("./", "../")):
        return os.path.normpath(os.path.join(base, source.location))
    return source.location


def resolve(source: Source, base: str, refs: dict[str, str]) -> str:
    """The commit that a version names.

    Args:
        source: the Act's source.
        base: the inventory's directory.
        refs: what the repository answered to ls-remote.

    Raises:
        Refusal: there is no such version, or it is a tag and a branch at once.
    """
    if COMMIT.match(source.version):
        return source.version
    if "^" in source.version:  # ls-remote's own mark of a peeled tag
        refs = {}
    tag = refs.get(f"refs/tags/{source.version}^{{}}") or refs.get(f"refs/tags/{source.version}")
    branch = refs.get(f"refs/heads/{source.version}")
    if tag and branch and tag != branch:
        raise Refusal(f"'{source.version}' is both a tag and a branch of {source.location}; name the commit")
    if tag or branch:
        return tag or branch or ""
    known = sorted(name.split("/", 2)[2] for name in refs if name.startswith("refs/") and not name.endswith("^{}"))
    raise Refusal(
        f"'{source.version}' is no tag, branch or commit of {source.location}; known: {', '.join(known[-8:]) or 'none'}"
    )


def list_refs(repository: str) -> dict[str, str]:
    """All references of a repository: name -> commit.

    Raises:
        Refusal: it does not answer.
    """
    lines = _git(["ls-remote", "--", repository], f"{repository} does not answer").splitlines()
    return {name: commit for commit, _tab, name in (line.partition("\t") for line in lines)}


def archive(source: Source, base: str, commit: str, target: str) -> None:
    """Write the commit as a compressed tar file.

    Raises:
        Refusal: the commit can't be fetched.
    """
    repository = location(source, base)
    mirror = os.path.join(_cache(), hashlib.sha256(repository.encode()).hexdigest()[:32] + ".git")
    with open(mirror + ".lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _fetch(repository, commit, mirror)
        _git(
            ["--git-dir", mirror, "archive", "--format=tar.gz", "-1", "-o", target, commit],
            f"{commit} of {repository} can't be read",
        )


def _fetch(repository: str, commit: str, mirror: str) -> None:
    """Have the commit in the mirror; a mirror that a killed run left broken is made afresh."""
    for attempt in ("as it is", "afresh"):
        if attempt == "afresh":
            shutil.rmtree(mirror, ignore_errors=True)
        try:
            if not os.path.isdir(mirror):
                _git(["init", "--quiet", "--bare", mirror], f"{mirror} can't be made")
            with open(os.path.join(mirror, "info", "attributes"), "w", encoding="utf-8") as file:
                file.write("* -export-ignore -export-subst\n")  # what a checkout has, not what a download has
            if not _has(mirror, commit):
                heads = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
                _git(
                    ["--git-dir", mirror, "fetch", "--quiet", "--prune", "--force", "--", repository, *heads],
                    f"{repository} can't be fetched",
                )
            if not _has(mirror, commit):
                _git(
                    ["--git-dir", mirror, "fetch", "--quiet", "--", repository, commit],
                    f"{repository} has no commit {commit}",
                )
            if not _has(mirror, commit):
                raise Refusal(f"the copy of {repository} in {mirror} is damaged; remove it")
            return
        except (Refusal, OSError):
            if attempt == "afresh":
                raise


def _has(mirror: str, commit: str) -> bool:
    argv = ["git", "--git-dir", mirror, "rev-list", "--quiet", "--objects", "--max-count=1", commit]
    return subprocess.run(argv, env=_environment(), capture_output=True, check=False).returncode == 0


def _cache() -> str:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(root, "backstage", "git")
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def _environment() -> dict[str, str]:
    """The controller's, without what a git hook sets, and with ours."""
    return {**{key: value for key, value in os.environ.items() if not key.startswith("GIT_")}, **_ENV}


def _git(arguments: list[str], problem: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], env=_environment(), capture_output=True, text=True, check=False, timeout=900
        )
    except FileNotFoundError:
        raise Refusal("git is not installed on the controller; install it, or use a 'path' source") from None
    except subprocess.TimeoutExpired:
        raise Refusal(f"{problem} (no answer within 15 minutes)") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Refusal(f"{problem} ({said[-1] if said else 'git said nothing'})")
    return done.stdout
