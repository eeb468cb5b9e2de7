# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources in archives: whatever made them, checked against their checksum, unpacked of their one directory."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Source
from ansible_collections.backstage.django.plugins.plugin_utils.sources import archive as sources

from ...told import told

WRAPPED = {"kittens-1.4/manage.py": "manage", "kittens-1.4/kittens/settings.py": "settings"}
FLAT = {"manage.py": "manage", "kittens/settings.py": "settings"}


def tar(path: Path, texts: dict[str, str], mode: str = "w:gz", extra: Optional[tarfile.TarInfo] = None) -> Path:
    with tarfile.open(path, mode) as made:  # type: ignore[call-overload]
        for name, text in texts.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o755 if name.endswith("manage.py") else 0o644
            made.addfile(member, io.BytesIO(text.encode()))
        if extra:
            made.addfile(extra)
    return path


def zipped(path: Path, texts: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in texts.items():
            item = zipfile.ZipInfo(name, (2026, 11, 1, 12, 0, 0))
            item.external_attr = (0o100755 if name.endswith("manage.py") else 0o100644) << 16
            made.writestr(item, text)
    return path


def source(path: Path, location: str = "") -> Source:
    checksum = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return Source("archive", location or str(path), checksum=checksum)


def packed(wanted: Source, tmp_path: Path, base: str = "/") -> dict[str, tuple[str, bool]]:
    """Name -> text, and whether it is a program."""
    target = tmp_path / "packed.tgz"
    sources.archive(wanted, base, sources.resolve(wanted, base), str(target))
    with tarfile.open(target) as made:
        return {
            member.name: ((made.extractfile(member) or io.BytesIO()).read().decode(), bool(member.mode & 0o100))
            for member in made
            if member.isfile()
        }


MADE: list[tuple[str, Callable[[Path, dict[str, str]], Path]]] = [
    ("tar.gz", partial(tar, mode="w:gz")),
    ("tar.xz", partial(tar, mode="w:xz")),
    ("tar.bz2", partial(tar, mode="w:bz2")),
    ("tar", partial(tar, mode="w")),
    ("zip", zipped),
]


@pytest.mark.parametrize("texts", [WRAPPED, FLAT], ids=["in one directory", "flat"])
@pytest.mark.parametrize("make", [row[1] for row in MADE], ids=[row[0] for row in MADE])
def test_packed(tmp_path: Path, make: Callable[[Path, dict[str, str]], Path], texts: dict[str, str]) -> None:
    found = packed(source(make(tmp_path / "a", texts)), tmp_path)
    assert found == {"manage.py": ("manage", True), "kittens/settings.py": ("settings", False)}


@pytest.mark.parametrize("name", ["kittens/ä.py", "kittens/" + "long/" * 30 + "a.py"], ids=["not ASCII", "long"])
@pytest.mark.parametrize("make", [tar, zipped])
def test_any_name_loses_the_one_directory(
    tmp_path: Path, make: Callable[[Path, dict[str, str]], Path], name: str
) -> None:
    """A tar file says such a name a second time, in a header that counts for more."""
    found = packed(source(make(tmp_path / "a", {**WRAPPED, "kittens-1.4/" + name: "x"})), tmp_path)
    assert {*found} == {*FLAT, name}


def test_one_file_is_no_directory_around_everything(tmp_path: Path) -> None:
    assert set(packed(source(tar(tmp_path / "a", {"manage.py": "x"})), tmp_path)) == {"manage.py"}


def test_a_link_stays_and_one_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    for target, said in (("kittens", ""), ("../../etc", "it is a link out of the tree, to '../../etc'")):
        link = tarfile.TarInfo("top/link")
        link.type, link.linkname = tarfile.SYMTYPE, target
        wanted = source(tar(tmp_path / "a", {"top/kittens/x": "x"}, extra=link))
        path = tmp_path / "packed.tgz"
        refused = f"the entry 'top/link' of {wanted.location} is refused: {said}" if said else ""
        assert told(sources.archive, wanted, "/", wanted.checksum, str(path)) == refused
        if not said:
            with tarfile.open(path) as made:
                assert made.getmember("link").linkname == "kittens"


HOSTILE = [
    ("/etc/passwd", tarfile.REGTYPE, "it leaves the tree"),
    ("a/../../x", tarfile.REGTYPE, "it leaves the tree"),
    ("dev", tarfile.CHRTYPE, "it is neither a file, a directory nor a symbolic link"),
    ("pipe", tarfile.FIFOTYPE, "it is neither a file, a directory nor a symbolic link"),
    ("hard", tarfile.LNKTYPE, "it is neither a file, a directory nor a symbolic link"),
]


@pytest.mark.parametrize(("name", "kind", "said"), HOSTILE)
def test_fault_48_malicious_archive(tmp_path: Path, name: str, kind: bytes, said: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "manage.py" if kind == tarfile.LNKTYPE else ""
    wanted = source(tar(tmp_path / "a", FLAT, extra=member))
    assert told(sources.archive, wanted, "/", wanted.checksum, str(tmp_path / "x")).endswith(f"is refused: {said}")


def test_another_checksum(tmp_path: Path) -> None:
    wanted = source(tar(tmp_path / "a", FLAT))
    other = replace(wanted, checksum="sha256:" + "0" * 64)
    said = f"{tmp_path}/a is not what its checksum says: it has {wanted.checksum}; was it published anew?"
    assert told(sources.resolve, other, "/") == said
    assert told(sources.archive, other, "/", other.checksum, str(tmp_path / "x")) == said


def test_from_the_inventory(tmp_path: Path) -> None:
    wanted = source(tar(tmp_path / "a", FLAT), "a")
    assert set(packed(wanted, tmp_path, str(tmp_path))) == set(FLAT)
    assert told(sources.resolve, replace(wanted, location="b"), "/srv") == "there is no file /srv/b on the controller"


@pytest.mark.parametrize("cut", [0, 5, 60])
def test_what_is_no_archive(tmp_path: Path, cut: int) -> None:
    path = tar(tmp_path / "a", FLAT)
    path.write_bytes(path.read_bytes()[:cut])
    wanted = source(path)
    said = told(sources.archive, wanted, "/", wanted.checksum, str(tmp_path / "x"))
    assert said.startswith(f"{path} is no tar or zip file that can be read (")


def test_a_zip_file_with_a_damaged_entry(tmp_path: Path) -> None:
    """Its list is whole: only reading the entry shows it."""
    path = zipped(tmp_path / "a", {"manage.py": "manage" * 99})
    made = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as whole:
        (item,) = whole.infolist()
    for header, crc in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        made[made.index(header) + crc] ^= 1
    assert item.file_size == 594
    path.write_bytes(made)
    wanted = source(path)
    said = told(sources.archive, wanted, "/", wanted.checksum, str(tmp_path / "x"))
    assert said.startswith(f"{path} is no tar or zip file that can be read (Bad CRC-32")


def test_what_was_appended_to_an_archive_counts(tmp_path: Path) -> None:
    path = tar(tmp_path / "a", {"kittens-1.4/manage.py": "old"}, mode="w")
    tar(path, {"kittens-1.4/manage.py": "new"}, mode="a")
    assert packed(source(path), tmp_path) == {"manage.py": ("new", True)}
    with tarfile.open(tmp_path / "packed.tgz") as made:
        assert made.getnames() == ["manage.py"], "a host refuses to write over what is there"


def test_a_zip_file_of_macos(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a", {"kittens/manage.py": "manage", "__MACOSX/kittens/._manage.py": "\0\5\x16\7"})
    assert packed(source(path), tmp_path) == {"manage.py": ("manage", True)}


def test_a_zip_file_without_times(tmp_path: Path) -> None:
    """Programs that make the same bytes of the same files leave all of the time zero: month and day, too."""
    path = zipped(tmp_path / "a", {"manage.py": "manage"})
    path.write_bytes(path.read_bytes().replace(b"\x00\x60\x61\x5d", b"\0\0\0\0"))
    assert zipfile.ZipFile(path).infolist()[0].date_time == (1980, 0, 0, 0, 0, 0)
    assert packed(source(path), tmp_path) == {"manage.py": ("manage", True)}


def test_a_zip_file_with_a_password(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a", {"manage.py": "manage"})
    made = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(header) + flags] |= 1
    path.write_bytes(made)
    wanted = source(path)
    said = told(sources.archive, wanted, "/", wanted.checksum, str(tmp_path / "x"))
    assert said.startswith(f"{path} is no tar or zip file that can be read (")
    assert "encrypted" in said


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "www").mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


def test_by_a_url(tmp_path: Path, server: str) -> None:
    wanted = source(tar(tmp_path / "www" / "a.tgz", WRAPPED), server + "a.tgz")
    assert set(packed(wanted, tmp_path)) == set(FLAT)
    (tmp_path / "www" / "a.tgz").write_bytes(b"published anew")
    said = told(sources.archive, wanted, "/", wanted.checksum, str(tmp_path / "x"))
    assert said.startswith(f"{server}a.tgz is not what its checksum says: it has sha256:")
    gone = replace(wanted, location=server + "gone.tgz")
    assert told(sources.archive, gone, "/", gone.checksum, str(tmp_path / "x")).startswith(
        f"{server}gone.tgz can't be fetched (HTTP Error 404"
    )


def test_an_answer_that_is_cut_short(tmp_path: Path) -> None:
    class Cut(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\ncut")

    with http.server.HTTPServer(("127.0.0.1", 0), Cut) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{serving.server_port}/a.tgz"
        wanted = Source("archive", url, checksum="sha256:" + "1" * 64)
        said = told(sources.archive, wanted, "/", wanted.checksum, str(tmp_path / "x"))
        serving.shutdown()
    assert said.startswith(f"{url} can't be fetched (IncompleteRead")


def test_a_url_is_not_fetched_to_know_what_it_holds() -> None:
    wanted = Source("archive", "https://nowhere.invalid/a.tgz", checksum="sha256:" + "1" * 64)
    assert sources.resolve(wanted, "/") == wanted.checksum
