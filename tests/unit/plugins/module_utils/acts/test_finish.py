# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a build: what becomes of static files, uploads and writable paths, as the real player finds it."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import finish, uploads
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.host import files, layout, names, process, user_processes
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Source, StaticUrl
from ansible_collections.backstage.django.plugins.module_utils.state.read import read

from ...conftest import Crew
from ...house import NONE, STATIC, A, House
from ...told import told
from ..host.test_files import dies_writing

OWN = {"url": "/media/", "root": "own"}
UPLOADS = {"url": "/media/", "root": "site/uploads"}
COLLECTED = {"url": "/static/", "root": "site/collected"}


@pytest.fixture
def built(crewed: House, crew: Crew) -> Iterator[layout.Release]:
    """A built release of a project in code/site with a database, an index and uploads in its source."""
    paths = crewed.act()
    acts.prepare(paths)
    release = paths.release(A)
    files.directory(release.root, 0o711)
    texts = {
        "code/site/db.sqlite3": "seeded",
        "code/site/index/one/a": "indexed",
        "code/site/uploads/photo": "uploaded",
        "code/site/collected/a.css": "css",
        "code/manage.py": "",
        "static/b.css": "css",
    }
    for name, text in texts.items():
        path = Path(release.root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for top in (release.code, release.static):
        for path in [Path(top), *Path(top).rglob("*")]:
            os.chown(path, crew.builder.uid, crew.builder.gid)
            path.chmod(0o700 if path.is_dir() else 0o600)
    yield release
    user_processes.end_all(crew.builder)


def act(*writable: str, subdir: str = "site", **urls: str) -> Act:
    """An Act with writable paths, and static_urls by their first segment."""
    named = [StaticUrl(f"/{name}/", root) for name, root in urls.items()]
    source = Source("git", "https://a/b", "v1", subdir)
    return Act("kittens", source=source, writable=list(writable), static_urls=named)


def sealed(release: layout.Release, crew: Crew, wanted: Act, **web: dict[str, Any]) -> dict[str, Any]:
    paths = layout.Production(crew.production).act("kittens")
    finish.finish(wanted, paths, release, crew.builder, {"release": A, "static": STATIC, "media": OWN, **web})
    found: dict[str, Any] = json.loads(Path(release.seal).read_text())
    return found


def as_player(crew: Crew, function: Callable[..., Any], *args: Any) -> Any:
    return process.call_as(crew.player, function, *args)


def text(path: str) -> str:
    return Path(path).read_text()


LINKS: list[tuple[Act, dict[str, str], dict[str, str]]] = [
    # (the Act, MEDIA_ROOT, what becomes a link)
    (act(), OWN, {}),
    (act(), NONE, {}),
    (act(), UPLOADS, {"site/uploads": "media"}),
    (act("db.sqlite3"), OWN, {"site/db.sqlite3": "data/db.sqlite3"}),
    (act("index/", "new/"), OWN, {"site/index": "data/index/", "site/new": "data/new/"}),
    (act("manage.py", subdir=""), OWN, {"manage.py": "data/manage.py"}),
    # inside MEDIA_ROOT it is media, and no link of its own
    (act("uploads/"), UPLOADS, {"site/uploads": "media"}),
    (act("uploads/photo"), UPLOADS, {"site/uploads": "media"}),
    (act("uploads2/"), UPLOADS, {"site/uploads": "media", "site/uploads2": "data/uploads2/"}),
    # a directory that is called as the record calls the place made for uploads
    (act("own/", subdir=""), OWN, {"own": "data/own/"}),
]


@pytest.mark.parametrize(("wanted", "media", "links"), LINKS)
def test_links(built: layout.Release, crew: Crew, wanted: Act, media: dict[str, str], links: dict[str, str]) -> None:
    assert sealed(built, crew, wanted, media=media)["links"] == links
    root = layout.Production(crew.production).act("kittens").root
    for path, place in links.items():
        assert os.readlink(os.path.join(built.code, path)) == os.path.join(root, place).rstrip("/")


def filled(crew: Crew, release: layout.Release, record: dict[str, Any], before: list[str]) -> list[str]:
    """What the player fills from the release's copies, where this was filled before."""
    root = layout.Production(crew.production).act("kittens").root
    now: list[str] = as_player(crew, finish.fill, root, release.root + "/origin", record["links"], before)
    return sorted(now)


def test_the_player_has_its_own_copies(built: layout.Release, crew: Crew) -> None:
    record = sealed(built, crew, act("db.sqlite3", "index/", "deep/new/", "log"), media=UPLOADS)
    assert filled(crew, built, record, []) == ["data/db.sqlite3", "data/index/", "media"]
    code = built.code + "/site"
    assert as_player(crew, text, f"{code}/db.sqlite3") == "seeded"
    assert as_player(crew, text, f"{code}/index/one/a") == "indexed"
    assert as_player(crew, text, f"{code}/uploads/photo") == "uploaded"
    assert as_player(crew, os.listdir, f"{code}/deep/new") == []
    for path in ("db.sqlite3", "index/two", "uploads/two", "deep/new/two", "log"):
        assert told(process.call_as, crew.player, write, f"{code}/{path}") == ""
    assert "Permission denied" in told(process.call_as, crew.player, write, f"{code}/settings.py")


def write(path: str) -> None:
    Path(path).write_text("written")


@pytest.fixture
def media(crew: Crew) -> Path:
    return Path(layout.Production(crew.production).act("kittens").media)


def group_and_mode(path: Path) -> tuple[int, int]:
    return path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)


def test_filled_uploads_are_nginxs_to_read(built: layout.Release, crew: Crew, media: Path) -> None:
    """A file in the source's MEDIA_ROOT is enough for it to be copied, and what comes later is uploaded beside it."""
    www = process.group_id(names.WWW_GROUP)
    deep = Path(built.code, "site", "uploads", "cats", "small")
    deep.mkdir(parents=True)
    for path in (deep, deep.parent):
        os.chown(path, crew.builder.uid, crew.builder.gid)
    (deep / "link").symlink_to("nowhere")
    record = sealed(built, crew, act(), media=UPLOADS)
    filled(crew, built, record, [])
    as_player(crew, write, f"{built.code}/site/uploads/cats/new")
    found = {group_and_mode(media / name) for name in (".", "cats", "cats/small")}
    assert found == {(www, 0o2750)}
    assert {group_and_mode(media / name) for name in ("photo", "cats/new")} == {(www, 0o640)}
    assert os.readlink(media / "cats" / "small" / "link") == "nowhere"


def lose_the_group(top: Path, crew: Crew) -> None:
    for path in [top, *top.rglob("*")]:
        os.chown(path, crew.player.uid, crew.player.gid)
        if path.is_dir():
            path.chmod(0o750)


@pytest.mark.parametrize("top", [".", "cats"])
def test_uploads_that_nginx_can_not_read_are_mended(crewed: House, crew: Crew, media: Path, top: str) -> None:
    www = process.group_id(names.WWW_GROUP)
    acts.prepare(crewed.act())
    (media / "cats" / "small").mkdir(parents=True)
    (media / "cats" / "photo").write_text("uploaded")
    (media / "cats" / "photo").chmod(0o640)
    acts.prepare(crewed.act())
    lose_the_group(media / top, crew)
    state = read(crewed.paths.name, crewed.host).act("kittens")
    acts.fill_writable(state, {"release": A, "links": {}})
    assert {group_and_mode(media / name) for name in (".", "cats", "cats/small")} == {(www, 0o2750)}
    assert group_and_mode(media / "cats" / "photo") == (www, 0o640)


def test_what_is_not_the_players_is_not_touched(crewed: House, crew: Crew, media: Path, place: Path) -> None:
    """Neither behind a link nor under a second name."""
    acts.prepare(crewed.act())
    victim = place / "victim"
    victim.mkdir()
    (victim / "file").write_text("mine")
    os.chown(victim / "file", crew.player.uid, 0)
    (media / "link").symlink_to(victim)
    (media / "of-roots").mkdir(mode=0o700)
    os.link(victim / "file", media / "second")
    lose_the_group(media, crew)
    os.chown(media / "of-roots", 0, 0)
    os.chown(victim / "file", crew.player.uid, 0)
    before = [group_and_mode(path) for path in (victim, victim / "file", media / "of-roots")]
    uploads.mend(str(media), crew.player.uid, process.group_id(names.WWW_GROUP))
    assert [group_and_mode(path) for path in (victim, victim / "file", media / "of-roots")] == before
    assert group_and_mode(media)[1] == 0o2750


def test_what_the_act_wrote_is_never_filled_again(built: layout.Release, crew: Crew) -> None:
    record = sealed(built, crew, act("db.sqlite3", "index/"), media=UPLOADS)
    before = filled(crew, built, record, [])
    as_player(crew, write, f"{built.code}/site/db.sqlite3")
    as_player(crew, os.unlink, f"{built.code}/site/index/one/a")
    as_player(crew, os.unlink, f"{built.code}/site/uploads/photo")
    # also where history has lost it: what is there is the Act's
    for known in (before, ["media"]):
        assert filled(crew, built, record, known) == []
    assert as_player(crew, text, f"{built.code}/site/db.sqlite3") == "written"
    assert as_player(crew, os.listdir, f"{built.code}/site/uploads") == []


@pytest.mark.parametrize("writable", ["db.sqlite3", "index/"])
def test_a_killed_filling_leaves_nothing_that_is_trusted(built: layout.Release, crew: Crew, writable: str) -> None:
    """Half a database that is there would never be completed."""
    name = {"db.sqlite3": "db.sqlite3", "index/": "index/one/a"}[writable]
    Path(built.code, "site", name).write_text("s" * 100_000)
    record = sealed(built, crew, act(writable))

    def die() -> None:
        os.setgid(crew.player.gid)
        os.setuid(crew.player.uid)
        finish.fill(layout.Production(crew.production).act("kittens").root, built.root + "/origin", record["links"], [])

    assert dies_writing(die, 50_000) == signal.SIGXFSZ
    assert filled(crew, built, record, []) == [f"data/{writable}"]
    assert as_player(crew, text, f"{built.code}/site/{name}") == "s" * 100_000


def test_what_a_killed_filling_left_is_in_nobodys_way(built: layout.Release, crew: Crew) -> None:
    Path(built.code, "site", "index", "link").symlink_to("one")
    os.chown(Path(built.code, "site", "index", "link"), crew.builder.uid, crew.builder.gid, follow_symlinks=False)
    record = sealed(built, crew, act("index/"))
    half = layout.Production(crew.production).act("kittens").data + "/index.new"
    as_player(crew, os.mkdir, half)
    as_player(crew, os.symlink, "one", half + "/link")
    as_player(crew, write, half + "/of-another-release")
    assert filled(crew, built, record, []) == ["data/index/"]
    assert sorted(as_player(crew, os.listdir, built.code + "/site/index")) == ["link", "one"]


def test_static_files_inside_the_code_move_to_where_nginx_can_enter(built: layout.Release, crew: Crew) -> None:
    Path(built.static, "b.css").unlink()
    sealed(built, crew, act(), static=COLLECTED)
    assert os.readlink(built.code + "/site/collected") == built.static
    assert (Path(built.static, "a.css").read_text(), os.listdir(built.static)) == ("css", ["a.css"])
    assert as_player(crew, text, built.code + "/site/collected/a.css") == "css"


def test_files_that_the_manifest_names_move_there_too(built: layout.Release, crew: Crew) -> None:
    Path(built.static, "b.css").unlink()
    record = sealed(built, crew, act(assets="index/one", a="uploads"), static=COLLECTED, media=NONE)
    assert record["static"] == COLLECTED
    place = Path(built.static, ".backstage")
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*")) == [
        ",a,",
        ",a,/photo",
        ",assets,",
        ",assets,/a",
    ]
    modes = {mode(built, f"static/{path.relative_to(built.static)}") for path in [place, *place.rglob("*")]}
    assert modes == {(0o755, 0, 0), (0o644, 0, 0)}, "nginx can read them, and nobody change them"
    assert as_player(crew, text, f"{built.code}/site/index/one/a") == "indexed"


@pytest.mark.parametrize(
    ("static", "inputs"),
    [
        (COLLECTED, {}),
        ({"url": "/static/", "root": "own"}, {}),
        ({"url": "/", "root": "own", "relative": True}, {"path": "/static"}),
    ],
)
def test_the_manifest_knows_better_where_static_url_leads(
    built: layout.Release, crew: Crew, static: dict[str, Any], inputs: dict[str, str]
) -> None:
    """A project that ships its own, in another directory than STATIC_ROOT, or in that one."""
    record = sealed(built, crew, act(static="collected"), static=static, inputs=inputs)
    assert record["static"] == NONE
    assert Path(built.static, ".backstage", ",static,", "a.css").read_text() == "css"


NO_ROOT = [
    (act(a="nonesuch"), "static_urls: there is no directory 'nonesuch' in the code after the build"),
    (act(a="db.sqlite3"), "static_urls: there is no directory 'db.sqlite3' in the code after the build"),
    (
        act(a="collected"),
        "static_urls: 'collected' is behind a link, or it is STATIC_ROOT, which is served at STATIC_URL",
    ),
    (act(a="linked/one"), "static_urls: 'linked/one' is behind a link"),
    (act(a="index"), "is a link; nginx serves files, not links"),
]


@pytest.mark.parametrize(("wanted", "said"), NO_ROOT)
def test_files_that_can_not_be_served(built: layout.Release, crew: Crew, wanted: Act, said: str) -> None:
    Path(built.static, "b.css").unlink()
    for name, target in (("linked", "index"), ("index/within", "one")):
        link = Path(built.code, "site", name)
        link.symlink_to(target)
        os.chown(link, crew.builder.uid, crew.builder.gid, follow_symlinks=False)
    assert said in told(sealed, built, crew, wanted, static=COLLECTED)
    assert not os.path.exists(built.seal)


INSIDE = [
    (act("site/", subdir=""), {"media": UPLOADS}, "'site' holds what becomes a link by itself, such as MEDIA_ROOT"),
    (act("site/uploads/", subdir=""), {"static": {"url": "/static/", "root": "site"}},
     "'site/uploads' lies in STATIC_ROOT, or is behind a link out of the code"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "web", "said"), INSIDE)
def test_what_becomes_a_link_holds_no_other_one(
    built: layout.Release, crew: Crew, wanted: Act, web: dict[str, Any], said: str
) -> None:
    Path(built.static, "b.css").unlink()
    assert said in told(sealed, built, crew, wanted, **web)
    assert not os.path.exists(built.seal)


def test_modes(built: layout.Release, crew: Crew) -> None:
    sealed(built, crew, act("db.sqlite3"))
    assert {path: mode(built, path) for path in (".", "code", "static", "release.json", "origin", "static/b.css")} == {
        ".": (0o711, 0, 0),
        "code": (0o750, 0, crew.player.gid),
        "static": (0o755, 0, 0),
        "release.json": (0o640, 0, crew.player.gid),
        "origin": (0o750, 0, crew.player.gid),
        "static/b.css": (0o644, 0, 0),
    }


def mode(release: layout.Release, path: str) -> tuple[int, int, int]:
    found = os.stat(os.path.join(release.root, path))
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


OUT: list[tuple[str, Act, dict[str, Any]]] = [
    # (what the builder made a link out of the code, the Act, its roots)
    ("site", act("db.sqlite3"), {}),
    ("site/index", act("index/one/"), {}),
    ("site", act(), {"media": UPLOADS}),
    ("site", act(), {"static": COLLECTED}),
]


@pytest.mark.parametrize(("path", "wanted", "web"), OUT)
def test_fault_42_root_follows_no_link_of_the_builders(
    built: layout.Release, crew: Crew, place: Path, path: str, wanted: Act, web: dict[str, Any]
) -> None:
    victim = place / "victim"
    for directory in (victim, victim / "one", victim / "collected"):
        directory.mkdir()
    (victim / "db.sqlite3").write_text("mine")
    before = sorted(victim.rglob("*"))
    files.remove_tree(os.path.join(built.code, path))
    os.symlink(victim, os.path.join(built.code, path))
    os.chown(os.path.join(built.code, path), crew.builder.uid, crew.builder.gid, follow_symlinks=False)
    assert "is behind a link out of the code" in told(sealed, built, crew, wanted, **web)
    assert not os.path.exists(built.seal)
    assert (sorted(victim.rglob("*")), (victim / "db.sqlite3").read_text()) == (before, "mine")
