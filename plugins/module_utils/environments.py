# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments by content: one for all releases and Acts whose inputs are the same.

Made by uv as an unprivileged user, with bytecode compiled and copied files; then taken by root and
sealed. An unsealed one is never used.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, replace

from . import diagnosis, files, inputs, names, process, seal, unpack, users
from .errors import BackstageError
from .layout import Act, Production

SEAL = "environment.json"
TYPICAL = 80 * 2**20
"""Bytes of a small Django environment with its bytecode."""
_NEEDS_BUILDING = re.compile(  # uv breaks its lines anywhere
    r"has\s+no\s+usable\s+wheels"
    r"|[Bb]uilding\s+(from\s+source|source\s+distributions(\s+for\s+\S+)?)\s+is\s+disabled"
)
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
        requirements: all requirement texts, flattened.
        constraints: likewise.
        refresh: changed by people who want unpinned requirements renewed.
        act: the one Act that it is for, where a package must be built from source; else empty.
    """

    requirements: str
    constraints: str
    refresh: str
    act: str = ""

    @property
    def key(self) -> str:
        return inputs.digest({**asdict(self), "abi": inputs.abi(), "format": inputs.FORMAT})[:16]

    @property
    def pinned(self) -> bool:
        """Whether every line names one exact version."""
        lines = [line for line in self.requirements.splitlines() if not line.startswith("-")]
        return all(_PINNED.match(line) for line in lines)


@dataclass(frozen=True)
class _Maker:
    """Who makes an environment, and who may read it."""

    user: process.User
    cache: str
    readers: seal.Readers
    options: tuple[str, ...]


def path(paths: Production, key: str) -> str:
    return os.path.join(paths.environments, key)


def is_sealed(paths: Production, key: str) -> bool:
    return os.path.isfile(os.path.join(path(paths, key), SEAL))


def make(paths: Act, wanted: Wanted, uv: str) -> str:
    """Have an environment with these inputs, shared where wheels do; return its key.

    Where a package has no wheel, its build script would run while others' environment is made: then
    the Act's own builder makes one for this Act alone.

    Raises:
        BackstageError: a requirement can't be had; carries uv's own words.
    """
    own = replace(wanted, act=paths.name)
    for known in (wanted, own):
        if is_sealed(paths.production, known.key):
            return known.key
    if not os.path.exists(uv):
        raise BackstageError(f"{uv} is missing; run the role stage (backstage.django.site) first", step="environment")
    try:
        return _make(paths.production, wanted, uv, _shared(paths.production))
    except BackstageError as error:
        if not _NEEDS_BUILDING.search(error.log):
            raise
    return _make(paths.production, own, uv, _own(paths))


def _shared(paths: Production) -> _Maker:
    user = users.ensure(names.environment_builder(paths.name), paths.cache, f"{paths.name} environments")
    process.end_all(user)
    files.directory(paths.cache, 0o700, user.uid, user.gid)
    return _Maker(user, paths.cache, seal.Readers(everybody=True), ("--no-build",))


def _own(paths: Act) -> _Maker:
    builder = process.User.named(names.builder(paths.production.name, paths.name))
    # the player is in the builder's group, so both can read it
    return _Maker(builder, paths.workshop, seal.Readers(gid=builder.gid), ())


def _make(paths: Production, wanted: Wanted, uv: str, maker: _Maker) -> str:
    target = path(paths, wanted.key)
    files.remove_tree(target)
    files.need_room(paths.environments, TYPICAL, "an environment")
    files.directory(target, 0o755, maker.user.uid, maker.user.gid)
    try:
        _install(wanted, uv, maker, target)
        process.end_all(maker.user)
        seal.take(target, maker.user.uid, maker.readers)
        seal.settle(target)
        record = {"format": inputs.FORMAT, "key": wanted.key, "abi": inputs.abi(), "act": wanted.act}
        files.write(os.path.join(target, SEAL), files.to_json(record))
    except (BackstageError, OSError):
        process.end_all(maker.user)
        files.remove_tree(target)
        raise
    return wanted.key


def _install(wanted: Wanted, uv: str, maker: _Maker, target: str) -> None:
    env = {**_UV, "HOME": maker.cache, "TMPDIR": maker.cache, "UV_CACHE_DIR": os.path.join(maker.cache, "uv")}
    _uv([uv, "venv", "--quiet", "--no-project", "--python", inputs.PYTHON, target], maker.user, env)
    arguments: list[str] = []
    texts = {"--requirements": wanted.requirements, "--constraints": wanted.constraints}
    for option, text in texts.items():
        if text:
            name = option.strip("-") + ".txt"
            process.call_as(maker.user, unpack.put, maker.cache, name, text + "\n")
            arguments += [option, os.path.join(maker.cache, name)]
    if wanted.requirements:
        python = os.path.join(target, "bin", "python")
        install = [uv, "pip", "install", "--quiet", "--python", python, "--compile-bytecode", *maker.options]
        _uv([*install, *arguments], maker.user, env)


def _uv(argv: list[str], user: process.User, env: dict[str, str]) -> None:
    result = process.run(argv, user, env)
    if not result.ok:
        cause = diagnosis.find(result.said) or "the packages could not be installed"
        raise BackstageError(cause, step="environment", log=result.said)


def sweep(paths: Production, used: set[str]) -> None:
    """Remove the environments that no sealed release on disk names, of any Act."""
    for key in files.names_in(paths.environments):
        if key not in used:
            files.remove_sealed(path(paths, key), SEAL)
