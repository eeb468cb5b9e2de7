# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finish a build: root takes over the release, writable places become symlinks, and the seal is written."""

from __future__ import annotations

import os
import posixpath
import shutil
from typing import Any

from ..host import files, names, process
from ..host.errors import BackstageError
from ..host.layout import OTHERS, SEAL, Release
from ..host.layout import Act as ActPaths
from ..manifest.nouns import Act, StaticUrl, summary
from . import digests, seal, url_prefixes

ORIGIN = "origin"
"""The directory beside the code with the source's copies of writable places, from which they are filled once."""


def base(code: str, act: Act) -> str:
    """Return the directory that the manifest's paths are relative to: the source's subdir."""
    return os.path.normpath(os.path.join(code, act.source.subdir if act.source else ""))


def finish(act: Act, paths: ActPaths, release: Release, builder: process.User, record: dict[str, Any]) -> None:
    """Seal a built release. No process of its builder is left."""
    player = process.User.named(names.player(paths.production.name, paths.name))
    readers = seal.Readers(gid=player.gid)
    seal.take(release.code, builder.uid, readers)
    if url_prefixes.static_url(record) in [item.url for item in act.static_urls]:
        record["static"] = {"url": "", "root": ""}  # the manifest's own entry overrides it
    if record["static"]["root"] not in ("", "own"):
        _move_static(release, record["static"]["root"])
    visitors = seal.Readers(everybody=True, links=False)
    seal.take(release.static, builder.uid, visitors)
    for item in act.static_urls:
        seal.take(_move_named(release, base(release.code, act), item), builder.uid, visitors)
    record["links"] = _links(act, release, record)
    os.mkdir(os.path.join(release.root, ORIGIN), 0o750)
    os.chown(os.path.join(release.root, ORIGIN), 0, player.gid)
    for path, place in record["links"].items():
        _replace(release, path, os.path.join(paths.root, place))
    digests.record(release.root, SEAL)
    seal.settle(release.root)
    files.write(release.seal, files.to_json({**record, "act": summary(act)}), 0o640, player.gid)


def _move_static(release: Release, inside: str) -> None:
    """Move a STATIC_ROOT inside the code to the release's static/, because nginx can't enter the code."""
    found = os.path.join(release.code, inside)
    if os.path.isdir(found):
        if not _is_inside(release, found):
            raise BackstageError(f"STATIC_ROOT, '{inside}', is behind a link out of the code", step="seal")
        os.rename(found, release.static)
        os.symlink(release.static, found)


def _move_named(release: Release, project: str, item: StaticUrl) -> str:
    """Move a directory of static_urls to the static files, from which older releases are served, too."""
    found = os.path.join(project, item.root)
    if not os.path.isdir(found):
        raise BackstageError(
            f"static_urls: there is no directory '{item.root}' in the code after the build; correct the root of"
            f" {item.url}, or make it by 'build'",
            step="seal",
        )
    if os.path.realpath(found) != found:
        raise BackstageError(
            f"static_urls: '{item.root}' is behind a link, or it is STATIC_ROOT, which is served at STATIC_URL;"
            f" {item.url} needs a directory of its own",
            step="seal",
        )
    files.directory(os.path.join(release.static, OTHERS))
    target = os.path.join(release.static, url_prefixes.place(item.url))
    os.rename(found, target)
    os.symlink(target, found)
    return target


def _links(act: Act, release: Release, record: dict[str, Any]) -> dict[str, str]:
    """Return what becomes a symlink: path inside the code -> path below the Act's own root."""
    links: dict[str, str] = {}
    media = record["media"]["root"]
    if media not in ("", "own"):
        links[media] = "media"
    for name in act.writable:
        path = os.path.relpath(os.path.join(base(release.code, act), name), release.code)
        if media not in ("", "own") and (path == media or path.startswith(media + "/")):
            continue
        links[path] = posixpath.join("data", name)
    return links


def _replace(release: Release, path: str, target: str) -> None:
    """Replace a file or directory by a symlink, and keep the source's copy beside the code."""
    found = os.path.join(release.code, path)
    if not _is_inside(release, os.path.dirname(found)):
        raise BackstageError(
            f"'{path}' lies in STATIC_ROOT, or is behind a link out of the code; give it another place", step="seal"
        )
    if os.path.lexists(found):
        kept = os.path.join(release.root, ORIGIN, path)
        if os.path.lexists(kept):
            raise BackstageError(
                f"'{path}' holds what becomes a link by itself, such as MEDIA_ROOT; name in 'writable' what else in it"
                " is written",
                step="seal",
            )
        _parents(os.path.join(release.root, ORIGIN), posixpath.dirname(path))
        os.rename(found, kept)
    else:
        os.makedirs(os.path.dirname(found), 0o755, exist_ok=True)
    os.symlink(target.rstrip("/"), found)


def _parents(root: str, path: str) -> None:
    """Make directories with the owner and mode of their parent."""
    found = os.stat(root)
    for part in path.split("/") if path else []:
        root = os.path.join(root, part)
        if not os.path.isdir(root):
            os.mkdir(root, 0o750)
            os.chown(root, 0, found.st_gid)


def _is_inside(release: Release, path: str) -> bool:
    real = os.path.realpath(path)
    return real == release.code or real.startswith(release.code + "/")


def fill(root: str, origin: str, links: dict[str, str], filled: list[str]) -> list[str]:
    """Fill the writable places from the source's copies, once. This runs as the player.

    Args:
        root: the Act's own root, with data/ and media/.
        origin: the directory with the source's copies.
        links: the links in the release's record.
        filled: what was filled before. Uploads that were all deleted stay deleted.

    Returns:
        What was filled now.
    """
    now = []
    for path, place in links.items():
        target, copy = os.path.join(root, place.rstrip("/")), os.path.join(origin, path)
        if place in filled or (place != "media" and os.path.exists(target)):
            continue
        os.makedirs(target if place.endswith("/") and not os.path.isdir(copy) else os.path.dirname(target), 0o750, True)
        if not os.path.exists(copy):
            continue
        if place == "media":
            _copy(copy, target)
        else:
            files.remove_tree(target + ".new")
            files.remove(target + ".new")
            _copy(copy, target + ".new")
            os.replace(target + ".new", target)
        now.append(place)
    return now


def _copy(copy: str, target: str) -> None:
    """Copy contents without modes, because the player owns the copy. What a killed run left is overwritten.

    An existing directory keeps its mode, because that of uploads gives new files nginx's group.
    """
    if not os.path.isdir(copy):
        shutil.copyfile(copy, target)
        return
    os.makedirs(target, 0o750, exist_ok=True)
    with os.scandir(copy) as entries:
        for entry in entries:
            place = os.path.join(target, entry.name)
            if entry.is_symlink():
                files.remove(place)
                os.symlink(os.readlink(entry.path), place)
            else:
                _copy(entry.path, place)
