# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments by content: one for all releases and Acts whose inputs are the same.

Made by uv as an unprivileged user, from wheels only, with bytecode compiled and copied files; then
taken by root and sealed. An unsealed one is never used.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Dict, List

from . import files, inputs, names, process, seal, unpack, users
from .errors import BackstageError
from .layout import Production

SEAL = "environment.json"
_UV = {
    "UV_SYSTEM_CERTS": "1",
    "UV_NO_CONFIG": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_LINK_MODE": "copy",
    "UV_NO_PROGRESS": "1",
}


@dataclass(frozen=True)
class Wanted:
    """The inputs of an environment."""

    requirements: str
    constraints: str
    refresh: str

    @property
    def key(self) -> str:
        data = {"requirements": self.requirements, "constraints": self.constraints, "refresh": self.refresh}
        return inputs.digest({**data, "abi": inputs.abi(), "format": inputs.FORMAT})[:16]

    @property
    def pinned(self) -> bool:
        """Whether every line names one exact version."""
        lines = [line for line in self.requirements.splitlines() if not line.startswith("-")]
        return all(re.search(r"===?|@", line) for line in lines)


def path(paths: Production, key: str) -> str:
    return os.path.join(paths.environments, key)


def is_sealed(paths: Production, key: str) -> bool:
    return os.path.isfile(os.path.join(path(paths, key), SEAL))


def make(paths: Production, wanted: Wanted, uv: str) -> str:
    """Make the environment if it is missing; return its key.

    Raises:
        BackstageError: a requirement can't be had; carries uv's own words.
    """
    if is_sealed(paths, wanted.key):
        return wanted.key
    if not os.path.exists(uv):
        raise BackstageError(f"{uv} is missing; run the role stage (backstage.django.site) first", step="environment")
    user = users.ensure(names.environment_builder(paths.name), paths.cache, f"{paths.name} environments")
    process.end_all(user)
    target = path(paths, wanted.key)
    files.remove_tree(target)
    files.directory(paths.cache, 0o700, user.uid, user.gid)
    files.directory(target, 0o755, user.uid, user.gid)
    try:
        _install(paths, wanted, uv, user, target)
    except BackstageError:
        process.end_all(user)
        files.remove_tree(target)
        raise
    process.end_all(user)
    seal.take(target, user.uid, seal.Readers(everybody=True))
    seal.settle(target)
    record = {"format": inputs.FORMAT, "key": wanted.key, "abi": inputs.abi(), "pinned": wanted.pinned}
    files.write(os.path.join(target, SEAL), files.to_json(record))
    return wanted.key


def _install(paths: Production, wanted: Wanted, uv: str, user: process.User, target: str) -> None:
    env = {**_UV, "HOME": paths.cache, "UV_CACHE_DIR": os.path.join(paths.cache, "uv")}
    _uv([uv, "venv", "--quiet", "--no-project", "--python", inputs.PYTHON, target], user, env)
    arguments: List[str] = []
    texts = {"--requirements": wanted.requirements, "--constraints": wanted.constraints}
    for option, text in texts.items():
        if text:
            name = option.strip("-") + ".txt"
            process.call_as(user, unpack.put, paths.cache, name, text + "\n")
            arguments += [option, os.path.join(paths.cache, name)]
    if wanted.requirements:
        python = os.path.join(target, "bin", "python")
        install = [uv, "pip", "install", "--quiet", "--python", python, "--no-build", "--compile-bytecode"]
        _uv([*install, *arguments], user, env)


def _uv(argv: List[str], user: process.User, env: Dict[str, str]) -> None:
    result = process.run(argv, user, env)
    if not result.ok:
        raise BackstageError("the packages could not be installed", step="environment", log=result.said)


def unused(paths: Production) -> List[str]:
    """The environments that no sealed release on disk names, of any Act."""
    used = set()
    for act in files.names_in(paths.acts):
        act_paths = paths.act(act)
        for release in files.names_in(act_paths.releases):
            record = files.read_json(act_paths.release(release).seal) or {}
            used.add(record.get("environment"))
    return [key for key in files.names_in(paths.environments) if key not in used]


def sweep(paths: Production) -> None:
    """Remove the environments that no release uses any more."""
    for key in unused(paths):
        files.remove_tree(path(paths, key))
