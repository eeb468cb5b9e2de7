# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources in git: a tag, a branch or a commit of a repository, resolved and fetched on the controller."""

from __future__ import annotations

import fcntl
import hashlib
import os
import posixpath
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...module_utils.host.errors import Refusal
from ...module_utils.manifest.nouns import Source
from ..git_access import access, environment, git

COMMIT = re.compile(r"[0-9a-f]{40}\Z")


def location(source: Source, base: str) -> str:
    """Return the repository. A path that begins with a dot is relative to the inventory."""
    if source.location.startswith(("./", "../")):
        return os.path.normpath(os.path.join(base, source.location))
    return source.location


def resolve(source: Source, base: str, refs: dict[str, str]) -> str:
    """Return the commit that a version names.

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
    if tag and branch:  # also of one commit: the branch will move
        raise Refusal(f"'{source.version}' is both a tag and a branch of {source.location}; name the commit")
    if tag or branch:
        return tag or branch or ""
    known = sorted(name.split("/", 2)[2] for name in refs if name.startswith("refs/") and not name.endswith("^{}"))
    raise Refusal(
        f"'{source.version}' is no tag, branch or commit of {source.location}; known: {', '.join(known[-8:]) or 'none'}"
    )


def list_refs(source: Source, base: str) -> dict[str, str]:
    """Return all references of a source's repository: name -> commit.

    Raises:
        Refusal: it does not answer.
    """
    repository = location(source, base)
    with access(source, base) as env:
        lines = git(["ls-remote", "--", repository], f"{repository} does not answer", env).splitlines()
    return {name: commit for commit, _tab, name in (line.partition("\t") for line in lines)}


def archive(source: Source, base: str, content: str, target: str) -> None:
    """Write the commit, and its submodules where they are asked for, as a compressed tar file.

    Raises:
        Refusal: something can't be fetched.
    """
    repository = location(source, base)
    with access(source, base) as env, tempfile.TemporaryDirectory() as directory:
        trees = list(_Trees(directory, env).collect(repository, content, "", source.submodules))
        if len(trees) == 1:
            shutil.move(trees[0], target)
            return
        with tarfile.open(target, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as joined:
            for tree in trees:
                with tarfile.open(tree) as tar:
                    for member in tar:
                        joined.addfile(member, tar.extractfile(member) if member.isreg() else None)


@dataclass(frozen=True)
class _Trees:
    """A commit and what it pins, each as a tar file of its own."""

    directory: str
    env: dict[str, str]

    def collect(self, repository: str, commit: str, prefix: str, submodules: bool) -> Iterator[str]:
        with _mirror(repository, commit, self.env) as mirror:
            handle, tree = tempfile.mkstemp(suffix=".tar.gz", dir=self.directory)
            os.close(handle)
            options = ["--format=tar.gz", "-1", f"--prefix={prefix}", "-o", tree]
            _in(mirror, ["archive", *options, commit], f"{commit} of {repository} can't be read", self.env)
            pins = _pins(mirror, repository, commit, self.env) if submodules else []
        yield tree
        for path, url, pin in pins:
            try:
                yield from self.collect(url, pin, f"{prefix}{path}/", True)
            except Refusal as refusal:
                raise Refusal(f"submodule '{path}': {refusal}") from None


def _in(mirror: str, arguments: list[str], problem: str, env: dict[str, str]) -> str:
    return git(["--git-dir", mirror, *arguments], problem, env)


def _pins(mirror: str, repository: str, commit: str, env: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return the submodules of a commit: path, repository, commit.

    Source:
        gitmodules(5): relative URLs are relative to the parent's own.
    """
    problem = f"{commit} of {repository} can't be read"
    pinned = {}
    for line in _in(mirror, ["ls-tree", "-r", "-z", commit], problem, env).split("\0"):
        about, _tab, path = line.partition("\t")
        if about.split(" ")[1:2] == ["commit"]:
            pinned[path] = about.split(" ")[2]
    if not pinned:
        return []
    listing = ["config", "--blob", f"{commit}:.gitmodules", "--null", "--get-regexp", r"^submodule\..*\.(path|url)$"]
    modules: dict[str, dict[str, str]] = {}
    for entry in filter(None, _in(mirror, listing, f"the .gitmodules of {repository} can't be read", env).split("\0")):
        key, _newline, value = entry.partition("\n")
        name, _dot, what = key[len("submodule.") :].rpartition(".")
        modules.setdefault(name, {})[what] = value
    urls = {module.get("path", ""): module.get("url", "") for module in modules.values()}
    return [(path, _beside(repository, urls.get(path, ""), path), pin) for path, pin in pinned.items()]


def _beside(repository: str, url: str, path: str) -> str:
    """Return a submodule's repository as an absolute one."""
    if not url or url.startswith("-") or "::" in url:
        raise Refusal(f"the submodule '{path}' of {repository} has no repository that can be fetched ('{url}')")
    if not url.startswith(("./", "../")):
        if _is_local(url) and not _is_local(repository):
            raise Refusal(f"the submodule '{path}' of {repository} lies on the controller ('{url}'); remove it there")
        return url
    scheme, mark, place = repository.rpartition("://")
    head, colon, tail = place.partition(":") if not mark else ("", "", place)
    if colon and "/" not in head:  # host:path, as ssh has it
        return f"{head}:{posixpath.normpath(posixpath.join(tail, url))}"
    return scheme + mark + posixpath.normpath(posixpath.join(place, url))


def _is_local(repository: str) -> bool:
    host, colon, _path = repository.partition("/")[0].partition(":")
    return not colon or host.lower() == "file"


@contextmanager
def _mirror(repository: str, commit: str, env: dict[str, str]) -> Iterator[str]:
    """Yield a bare clone that has the commit. It is kept between runs, and locked because other runs share it."""
    mirror = os.path.join(_cache(), hashlib.sha256(repository.encode()).hexdigest()[:32] + ".git")
    with open(mirror + ".lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            _fetch(repository, commit, mirror, env)
        except (Refusal, OSError):
            _fetch_afresh(repository, commit, mirror, env)
        yield mirror


def _fetch_afresh(repository: str, commit: str, mirror: str, env: dict[str, str]) -> None:
    """Once more, from nothing: a killed run may have left the mirror as it is. Where that fails, too, it stays.

    Raises:
        Refusal: the commit is not to be had.
    """
    aside = mirror + ".aside"
    shutil.rmtree(aside, ignore_errors=True)
    if os.path.isdir(mirror):
        os.rename(mirror, aside)
    try:
        _fetch(repository, commit, mirror, env)
    except (Refusal, OSError):
        shutil.rmtree(mirror, ignore_errors=True)
        if os.path.isdir(aside):
            os.rename(aside, mirror)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _fetch(repository: str, commit: str, mirror: str, env: dict[str, str]) -> None:
    """Have the commit in the mirror.

    Raises:
        Refusal: it is not to be had.
    """
    if not os.path.isdir(mirror):
        git(["init", "--quiet", "--bare", mirror], f"{mirror} can't be made", env)
    with open(os.path.join(mirror, "info", "attributes"), "w", encoding="utf-8") as file:
        file.write("* -export-ignore -export-subst\n")  # what a checkout has, not what a download has
    fetch = ["fetch", "--quiet", "--prune", "--force", "--no-recurse-submodules", "--", repository]
    if not _has(mirror, commit):
        heads = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        _in(mirror, [*fetch, *heads], f"{repository} can't be fetched", env)
    if not _has(mirror, commit):
        one = ["fetch", "--quiet", "--no-recurse-submodules", "--", repository, commit]
        _in(mirror, one, f"{repository} has no commit {commit}", env)
    if not _has(mirror, commit):
        raise Refusal(f"the copy of {repository} in {mirror} is damaged; remove it")


def _has(mirror: str, commit: str) -> bool:
    """Return whether the commit is there with its whole tree."""
    argv = ["git", "--git-dir", mirror, "rev-list", "--quiet", "--objects", "--max-count=1", commit]
    return subprocess.run(argv, env=environment({}), capture_output=True, check=False).returncode == 0


def _cache() -> str:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.path.join(root, "backstage", "git")
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path
