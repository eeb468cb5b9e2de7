# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every source of a manifest, resolved once per run on the controller and packed for the hosts that lack it."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..module_utils.host.errors import Refusal
from ..module_utils.manifest.inputs import digest
from ..module_utils.manifest.nouns import Act, Source, summary
from . import run_cache
from .sources import archive, git, package, path

KINDS: dict[str, Any] = {"archive": archive, "git": git, "package": package, "path": path}
"""A kind of source: ``resolve`` gives the id of its content, ``archive`` writes that content as a tar file."""


def resolve(acts: list[Act], base: str) -> dict[str, dict[str, str]]:
    """Act -> the id of its content, and what a reader calls it.

    Raises:
        Refusal: names every source that can't be resolved, one a line.
    """
    wanted = {act.name: act.source for act in acts if act.source and act.state == "present"}
    key = digest([[name, summary(source), base] for name, source in wanted.items()])
    found: dict[str, Any] = run_cache.once(f"sources-{key[:16]}", lambda: _resolve(wanted, base))
    if found["problems"]:
        raise Refusal("\n".join(found["problems"]))
    resolved: dict[str, dict[str, str]] = found["resolved"]
    return resolved


def _resolve(wanted: dict[str, Source], base: str) -> dict[str, Any]:
    """Resolve all sources. Those of git run in parallel, once for each repository and its credentials."""
    unknown = {
        _question(source, base): source
        for source in wanted.values()
        if source.kind == "git" and not git.COMMIT.match(source.version)
    }
    with ThreadPoolExecutor(max_workers=8) as pool:
        refs = dict(zip(unknown, pool.map(lambda source: _try_refs(source, base), unknown.values())))
    problems: list[str] = []
    resolved: dict[str, dict[str, str]] = {}
    for name, source in wanted.items():
        try:
            if source.kind == "git":
                answer = refs.get(_question(source, base), {})
                if isinstance(answer, Refusal):
                    raise answer
                content = git.resolve(source, base, answer)
            else:
                content = KINDS[source.kind].resolve(source, base)
        except Refusal as problem:
            problems.append(f"backstage_acts[{name}].source: {problem}")
        else:
            resolved[name] = {"content": content, "label": source.label}
    return {"resolved": resolved, "problems": problems}


def _question(source: Source, base: str) -> tuple[str, ...]:
    return git.location(source, base), source.key, source.username, source.password


def _try_refs(source: Source, base: str) -> Any:
    try:
        return git.list_refs(source, base)
    except Refusal as problem:
        return problem


def pack(act: Act, content: str, base: str) -> dict[str, str]:
    """Pack an Act's source, once per run; gives the archive's path and its sha256."""
    source = act.source
    if source is None:
        raise Refusal(f"backstage_acts[{act.name}].source: is missing")
    made_of = digest([source.kind, content, source.submodules])
    with run_cache.lock(f"archive-{made_of[:40]}") as target:
        if not os.path.exists(target):
            KINDS[source.kind].archive(source, base, content, target + ".new")
            os.replace(target + ".new", target)
        return {"path": target, "sha256": _sha256(target)}


def _sha256(name: str) -> str:
    found = hashlib.sha256()
    with open(name, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            found.update(chunk)
    return found.hexdigest()
