# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources in an archive: a URL or a file of the controller, always with its checksum."""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import re
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from ...module_utils.errors import Refusal
from ...module_utils.nouns import Source
from ...module_utils.unpack import refusal

TIMEOUT = 60
_URL = re.compile(r"https?://", re.IGNORECASE)


def location(source: Source, base: str) -> str:
    """The URL, or the file; relative to the inventory."""
    if _URL.match(source.location):
        return source.location
    return os.path.normpath(os.path.join(base, os.path.expanduser(source.location)))


def resolve(source: Source, base: str) -> str:
    """The checksum: it is the archive's content, so nothing has to be fetched to know it.

    Raises:
        Refusal: the file is not there, or is another one.
    """
    place = location(source, base)
    if not _URL.match(place):
        if not os.path.isfile(place):
            raise Refusal(f"there is no file {place} on the controller")
        with open(place, "rb") as file:
            _need(source, place, _digest(file))
    return source.checksum


def archive(source: Source, base: str, content: str, target: str) -> None:
    """Write the archive's tree as a compressed tar file, without the one directory that holds it all.

    Raises:
        Refusal: it can't be fetched, is not what the checksum says, or holds what can't be shipped.
    """
    place = location(source, base)
    with tempfile.TemporaryFile() as file:
        _fetch(place, file)
        file.seek(0)
        _need(source, place, _digest(file))
        file.seek(0)
        _repack(place, file, target)


def _fetch(place: str, file: BinaryIO) -> None:
    try:
        if not _URL.match(place):
            with open(place, "rb") as found:
                shutil.copyfileobj(found, file)
            return
        with urllib.request.urlopen(place, timeout=TIMEOUT) as answer:  # noqa: S310 -- http and https alone
            shutil.copyfileobj(answer, file)
    except (OSError, urllib.error.URLError) as error:
        raise Refusal(f"{place} can't be fetched ({error})") from None


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    for chunk in iter(lambda: file.read(1 << 20), b""):
        digest.update(chunk)
    return "sha256:" + digest.hexdigest()


def _need(source: Source, place: str, found: str) -> None:
    if found != source.checksum:
        raise Refusal(f"{place} is not what its checksum says: it has {found}; was it published anew?")


def _repack(place: str, file: BinaryIO, target: str) -> None:
    members = list(_members(place, file))
    roots = {name.split("/", 1)[0] for name, _member, _content in members}
    wrapped = len(roots) == 1 and all("/" in name or member.isdir() for name, member, _content in members)
    with tarfile.open(target, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
        for name, member, content in members:
            member.name = name.split("/", 1)[1] if wrapped and "/" in name else "" if wrapped else name
            problem = refusal(member)
            if problem:
                raise Refusal(f"the entry '{name}' of {place} is refused: {problem}")
            if member.name:
                tar.addfile(member, io.BytesIO(content) if member.isreg() else None)


def _members(place: str, file: BinaryIO) -> Iterator[tuple[str, tarfile.TarInfo, bytes]]:
    """Every entry, from a tar file of any compression or a zip file."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            for item in packed.infolist():
                yield _from_zip(packed, item)
        return
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:*") as packed_tar:
            for member in packed_tar:
                content = packed_tar.extractfile(member) if member.isreg() else None
                yield _normal(member.name), member, content.read() if content else b""
    except tarfile.TarError as error:
        raise Refusal(f"{place} is neither a tar nor a zip file ({error})") from None


def _from_zip(packed: zipfile.ZipFile, item: zipfile.ZipInfo) -> tuple[str, tarfile.TarInfo, bytes]:
    mode = item.external_attr >> 16
    member = tarfile.TarInfo(item.filename)
    content = b"" if item.is_dir() else packed.read(item)
    member.type = tarfile.DIRTYPE if item.is_dir() else tarfile.REGTYPE
    if mode & 0o170000 == 0o120000:
        member.type, member.linkname, content = tarfile.SYMTYPE, content.decode(), b""
    member.mode = mode & 0o777 or 0o644
    member.size = len(content)
    return _normal(item.filename), member, content


def _normal(name: str) -> str:
    """The name without a leading ./ and a trailing slash; what leaves the tree stays as it is and is refused."""
    return posixpath.normpath(name) if not name.startswith("/") else name
