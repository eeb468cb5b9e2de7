# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources in an archive: a URL or a file of the controller, always with its checksum."""

from __future__ import annotations

import hashlib
import http.client
import lzma
import os
import posixpath
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import IO, BinaryIO, Optional

from ansible.module_utils.urls import open_url

from ...module_utils.acts.unpack import refusal
from ...module_utils.host.errors import Refusal
from ...module_utils.manifest.nouns import Source

TIMEOUT = 60
_URL = re.compile(r"https?://", re.IGNORECASE)
# RuntimeError: a zip file with a password
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, RuntimeError)


def location(source: Source, base: str) -> str:
    """Return the URL, or the file relative to the inventory."""
    if _URL.match(source.location):
        return source.location
    return os.path.normpath(os.path.join(base, os.path.expanduser(source.location)))


def resolve(source: Source, base: str) -> str:
    """Return the checksum, which identifies the content, so nothing has to be fetched.

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
        with open_url(place, timeout=TIMEOUT) as answer:
            shutil.copyfileobj(answer, file)
    except (OSError, http.client.HTTPException) as error:  # URLError is the first
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
    """Write every entry anew, without the one directory that most archives hold everything in.

    Raises:
        Refusal: it is no tar file of any compression and no zip file, is damaged, or holds what can't be unpacked.
    """
    try:
        _write(place, file, target)
    except _DAMAGED as error:
        raise Refusal(f"{place} is no tar or zip file that can be read ({error})") from None


def _write(place: str, file: BinaryIO, target: str) -> None:
    names = [(name, member.isdir()) for name, member, _content in _entries(file)]
    last = {name: number for number, (name, _is_directory) in enumerate(names)}
    roots = {name.split("/", 1)[0] for name, _is_directory in names}
    wrapped = len(roots) == 1 and all("/" in name or is_directory for name, is_directory in names)
    with tarfile.open(target, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
        for number, (name, member, content) in enumerate(_entries(file)):
            if last[name] != number:
                continue  # one that was appended later counts, as it does for tar
            member.name = name.partition("/")[2] if wrapped else name
            member.pax_headers = {}  # they would count for more than the name
            problem = refusal(member)
            if problem:
                raise Refusal(f"the entry '{name}' of {place} is refused: {problem}")
            if member.name not in ("", "."):
                tar.addfile(member, content)


def _entries(file: BinaryIO) -> Iterator[tuple[str, tarfile.TarInfo, Optional[IO[bytes]]]]:
    """Yield every entry with its content, from a compressed tar file or a zip file."""
    file.seek(0)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            # macOS keeps beside each file what only it can read
            items = [item for item in packed.infolist() if not item.filename.startswith("__MACOSX/")]
            yield from (_from_zip(packed, item) for item in items)
        return
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:*") as tar:
        for member in tar:
            yield _normal(member.name), member, tar.extractfile(member) if member.isreg() else None


def _from_zip(packed: zipfile.ZipFile, item: zipfile.ZipInfo) -> tuple[str, tarfile.TarInfo, Optional[IO[bytes]]]:
    mode = item.external_attr >> 16
    member = tarfile.TarInfo(_normal(item.filename))
    member.mode, member.size = mode & 0o777 or 0o644, item.file_size
    year, month, day, hour, minute, second = item.date_time
    # who wants the same bytes of the same files leaves all of the time zero, month and day, too
    written = datetime(year, month or 1, day or 1, hour, minute, second, tzinfo=timezone.utc)
    member.mtime = int(written.timestamp())
    if item.is_dir():
        member.type, member.size = tarfile.DIRTYPE, 0
        return member.name, member, None
    if stat.S_ISLNK(mode):
        member.type, member.linkname, member.size = tarfile.SYMTYPE, packed.read(item).decode(), 0
        return member.name, member, None
    return member.name, member, packed.open(item)


def _normal(name: str) -> str:
    """Return the name without a leading ./ and a trailing slash. A name outside the tree stays, and is refused."""
    return name if name.startswith("/") else posixpath.normpath(name)
