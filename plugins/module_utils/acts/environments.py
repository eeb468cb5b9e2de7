# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments by content: one for all releases and Acts with the same inputs.

uv makes them as an unprivileged user, with copied files and bytecode. Then root seals a copy. An unsealed one is
never used. No code of a package runs while an environment for several Acts is made, or as the user with its
cache.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from ..diagnosis import lookup
from ..host import files, locks, names, process, run_log, user_processes, users
from ..host.errors import BackstageError
from ..host.layout import ENVIRONMENT_SEAL as SEAL
from ..host.layout import Act, Production
from ..manifest import inputs
from ..manifest.nouns import Index, summary
from ..state import history
from . import digests, seal, unpack

PATIENCE = 7200
"""The seconds to wait for the environments of other Acts."""
TYPICAL = 80 * 2**20
"""The size of a small Django environment with its bytecode."""
_NEEDS_BUILDING = re.compile(  # uv wraps its lines anywhere
    r"has\s+no\s+usable\s+wheels"
    r"|[Bb]uilding\s+(from\s+source|source\s+distributions(\s+for\s+\S+)?)\s+is\s+disabled"
)
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml\Z")  # PEP 751
_PINNED = re.compile(r"[\w.-]+(\[[^]]*\])?\s*(===?\s*[\w.+!-]+\s*(;|--hash|$)|@\s*(https?:.*|.*@[0-9a-f]{40}\b))")
_UV = {
    "UV_SYSTEM_CERTS": "1",
    "UV_NO_CONFIG": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_LINK_MODE": "copy",
    "UV_NO_PROGRESS": "1",
}


@dataclass(frozen=True)
class Wanted:
    """The inputs of an environment.

    Args:
        requirements: all requirement texts, merged.
        constraints: all constraint texts, merged.
        refresh: the text that users change to renew unpinned requirements.
        locks: the texts of lock files that uv reads itself.
        projects: files of the code that uv reads in place.
        index: where packages come from. Its credentials are not part of the key.
        source: the id of the code, if a requirement refers to it; else empty.
        act: the only Act that uses it, because a package has to be built, contains the code, or has a private index.
        env: variables that the build of a package may read, for an Act's own environment.
        building: versions of build requirements, for an Act's own environment.
        server: packages of the Stage kind. A version in the project's own requirements counts.
    """

    requirements: str
    constraints: str = ""
    refresh: str = ""
    locks: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    index: Index = field(default_factory=Index)
    source: str = ""
    act: str = ""
    env: dict[str, str] = field(default_factory=dict, repr=False)
    building: str = field(default="", repr=False)
    server: tuple[str, ...] = field(default=(), repr=False)

    @property
    def key(self) -> str:
        later = {"env": self.env, "building": self.building, "server": list(self.server)}
        seen = {name: value for name, value in later.items() if value}
        return inputs.digest({**summary(self), **seen, "abi": inputs.abi(), "format": inputs.FORMAT})[:16]

    @property
    def pinned(self) -> bool:
        """Return whether every line names one exact version."""
        lines = [line for line in self.requirements.splitlines() if not line.startswith(("-", "."))]
        return not self.projects and all(_PINNED.match(line) for line in lines)


@dataclass(frozen=True)
class _Maker:
    """The user that makes an environment, its readers, and a copy of the code if a requirement refers to it."""

    user: process.User
    cache: str
    readers: seal.Readers
    options: tuple[str, ...]
    code: str = ""


def cache(room: str) -> str:
    """Return uv's cache in a directory of its user."""
    return os.path.join(room, "uv")


def entered(environment: str) -> dict[str, str]:
    """Return the variables of an activated environment."""
    return {"PATH": f"{environment}/bin:{process.PATH}", "VIRTUAL_ENV": environment}


def is_sealed(paths: Production, key: str) -> bool:
    return os.path.isfile(os.path.join(paths.environment(key), SEAL))


def make(paths: Act, wanted: Wanted, uv: str, code: str) -> str:
    """Return the key of an environment with these inputs. Make it if it is missing, shared if wheels are enough.

    The build script of a package without a wheel would run while an environment for other Acts is made. So the
    Act's own builder makes an environment for this Act alone. The same applies if the code itself is installed, or
    if an index needs a password, because other Acts may not read what came from it.

    Args:
        paths: the Act's.
        wanted: the inputs.
        uv: the path of uv.
        code: the source, as its builder has it.

    Raises:
        BackstageError: a requirement can't be installed. It contains uv's own output.
    """
    run_log.phase(paths.name, "packages")
    own = replace(wanted, act=paths.name)
    wanted = replace(wanted, env={}, building="")
    # a requirement line that asks for a build overrides --no-build
    alone = bool(wanted.source or wanted.index.password or "--no-binary" in wanted.requirements)
    for known in (own,) if alone else (wanted, own):
        if is_sealed(paths.production, known.key):
            os.utime(os.path.join(paths.production.environment(known.key), SEAL))  # unused environments may be removed
            return known.key
    if not os.path.exists(uv):
        raise BackstageError(f"{uv} is missing; run backstage.django.site first", step="environment")
    if not alone:
        try:
            return _make_shared(paths.production, wanted, uv)
        except BackstageError as error:
            if not _NEEDS_BUILDING.search(error.log):
                raise
    return _make(paths.production, own, uv, _own(paths, code if wanted.source else ""))


def _make_shared(paths: Production, wanted: Wanted, uv: str) -> str:
    """Make it as the Production's builder. Acts that are built side by side wait for each other, and one makes it."""
    with locks.held(paths.environments_lock, history.who(), PATIENCE):
        return wanted.key if is_sealed(paths, wanted.key) else _make(paths, wanted, uv, _shared(paths))


def _shared(paths: Production) -> _Maker:
    user = users.ensure(names.environment_builder(paths.name), paths.cache, f"{paths.name} environments")
    user_processes.end_all(user)
    files.directory(paths.cache, 0o700, user.uid, user.gid)
    return _Maker(user, paths.cache, seal.Readers(everybody=True), ("--no-build",))


def _own(paths: Act, code: str) -> _Maker:
    builder = users.builder(paths.production.name, paths.name)
    # the player is in the builder's own group, so both can read it
    return _Maker(builder, paths.workshop, seal.Readers(gid=process.group_id(builder.name)), (), code)


def _make(paths: Production, wanted: Wanted, uv: str, maker: _Maker) -> str:
    target = paths.environment(wanted.key)
    files.remove_tree(target)
    files.need_room(paths.environments, 2 * TYPICAL, "an environment")
    files.directory(target, 0o700, maker.user.uid, maker.user.gid)
    try:
        _install(wanted, uv, maker, target)
        user_processes.end_all(maker.user)
        seal.take(target, maker.user.uid, maker.readers)
        digests.record(target, SEAL)
        seal.settle(target)
        record = {"format": inputs.FORMAT, "key": wanted.key, "abi": inputs.abi(), "act": wanted.act}
        files.write(os.path.join(target, SEAL), files.to_json(record))
    except BaseException:  # also if nobody waits for the run any more
        user_processes.end_all(maker.user)
        files.remove_tree(target)
        raise
    return wanted.key


def _install(wanted: Wanted, uv: str, maker: _Maker, target: str) -> None:
    env = {
        **wanted.env,
        **_UV,
        "HOME": maker.cache,
        "TMPDIR": maker.cache,
        "UV_CACHE_DIR": cache(maker.cache),
    }
    _uv([uv, "venv", "--quiet", "--no-project", "--python", inputs.PYTHON, target], maker.user, env)
    room = os.path.join(maker.cache, "inputs")
    process.call_as(maker.user, _clear, room)
    if maker.code:
        process.call_as(maker.user, shutil.rmtree, cache(maker.cache), True)  # it may contain another state of the code
        # a copy, because a build leaves files beside the code
        process.call_as(maker.user, _copy, maker.code, room)
    if wanted.index.password:
        env["NETRC"] = os.path.join(room, ".netrc")
        process.call_as(maker.user, unpack.put, room, ".netrc", _netrc(wanted.index))
    python = os.path.join(target, "bin", "python")
    install = [uv, "pip", "install", "--quiet", "--python", python, *maker.options, *_from(wanted.index)]
    building = _text("--build-constraints", ".building.txt", wanted.building, maker.user, room)
    locks, others = _locks(wanted, maker.user, room), _texts(wanted, maker.user, room)
    for lock in locks:  # uv takes nothing beside a lock
        _uv([*install, *building, "--requirements", lock], maker.user, env, room)
    if locks and others:  # the versions of the locks stay
        installed = _uv([uv, "pip", "freeze", "--quiet", "--python", python], maker.user, env, room)
        process.call_as(maker.user, unpack.put, room, ".installed.txt", installed)
        others += ["--constraints", ".installed.txt"]
    if others:
        _uv([*install, *building, *others], maker.user, env, room)
    if locks or others:
        _compile(target, maker.user)
    files.remove_tree(room)


def _clear(room: str) -> None:
    """Make an empty directory as its owner, because others may be able to write beside it."""
    shutil.rmtree(room, ignore_errors=True)
    os.mkdir(room, 0o700)


def _compile(target: str, user: process.User) -> None:
    """Compile bytecode without the site module, which runs lines of packages' .pth files, as uv itself would."""
    argv = [inputs.PYTHON, "-I", "-S", "-m", "compileall", "-qq", "-j", "0", os.path.join(target, "lib")]
    process.run(argv, user)  # a file that does not compile, such as a code template, is compiled at its import


def _copy(code: str, room: str) -> None:
    shutil.copytree(code, room, symlinks=True, dirs_exist_ok=True)


def _locks(wanted: Wanted, user: process.User, room: str) -> list[str]:
    """Write the lock files, and return their names."""
    locks = {f"pylock.backstage{number}.toml": lock for number, lock in enumerate(wanted.locks)}
    for name, text in locks.items():
        process.call_as(user, unpack.put, room, name, text + "\n")
    return [*locks, *filter(_is_lock, wanted.projects)]


def _is_lock(path: str) -> bool:
    return bool(_PYLOCK.match(os.path.basename(path)))


def _texts(wanted: Wanted, user: process.User, room: str) -> list[str]:
    """Write the other texts where their relative paths start, and return uv's arguments for them."""
    lines = "\n".join(filter(None, (wanted.requirements, *wanted.server)))
    arguments = _text("--requirements", ".requirements.txt", lines, user, room)
    for project in wanted.projects:
        arguments += [] if _is_lock(project) else ["--requirements", project]
    if not arguments:
        return []
    return [*arguments, *_text("--constraints", ".constraints.txt", wanted.constraints, user, room)]


def _text(option: str, name: str, text: str, user: process.User, room: str) -> list[str]:
    if not text:
        return []
    process.call_as(user, unpack.put, room, name, text + "\n")
    return [option, name]


def _from(index: Index) -> list[str]:
    """Return uv's options for its indexes. With find_links alone, it uses no index."""
    arguments = [f"--default-index={index.url}"] if index.url else []
    arguments += [f"--index={url}" for url in index.extra_urls]
    arguments += [f"--find-links={place}" for place in index.find_links]
    return [*arguments, "--no-index"] if index.find_links and not (index.url or index.extra_urls) else arguments


def _netrc(index: Index) -> str:
    """Return the password of the indexes' hosts, in a file that only their builder can read, removed after use.

    Source:
        uv's manual, "HTTP authentication": NETRC names such a file.
    """
    hosts = {urlsplit(place).hostname: None for place in (index.url, *index.extra_urls, *index.find_links)}
    username, password = _quoted(index.username), _quoted(index.password)
    lines = (f"machine {host} login {username} password {password}\n" for host in hosts if host)
    return "".join(lines)


def _quoted(word: str) -> str:
    """Return a quoted word for a netrc file. Without quotes, a blank ends it and a backslash is ignored."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _uv(argv: list[str], user: process.User, env: dict[str, str], cwd: str = "/") -> str:
    """Run uv, and return what it printed to its standard output."""
    result = process.run(argv, user, env, cwd)
    if result.late:
        raise BackstageError("uv has not ended within an hour, and was ended", step="environment", log=result.said)
    if not result.ok:
        cause = lookup.find(result.said) or "the packages could not be installed"
        raise BackstageError(cause, step="environment", log=result.said)
    return result.out


def sweep(paths: Production, used: set[str]) -> None:
    """Remove the environments that no sealed release on disk uses."""
    for key in files.names_in(paths.environments):
        if key not in used:
            files.remove_sealed(paths.environment(key), SEAL)
