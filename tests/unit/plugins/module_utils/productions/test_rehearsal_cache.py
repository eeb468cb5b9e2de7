# SPDX-License-Identifier: GPL-3.0-or-later
"""What rehearsals keep: shared environments for all, those of one Act for it alone, nothing for ever."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import environments
from ansible_collections.backstage.django.plugins.module_utils.host import layout, locks, names, users
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Index, Manifest, Source
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import rehearsal_cache, reports
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order

from ...conftest import _house
from ...house import House

SOURCE = Source("path", "/home/ada/kittens")
OWNER = rehearsal_cache.owner("cats", Act("kittens", source=SOURCE))
LONG_AGO = time.time() - rehearsal_cache.LONGEST - 9


@pytest.fixture
def stage(place: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return _house(place, monkeypatch, names.REHEARSAL)


def environment(stage: House, key: str, act: str = "", used: float = 0, sealed: bool = True) -> Path:
    path = Path(stage.paths.environment(key))
    path.mkdir(parents=True)
    (path / "cat.py").write_text("")
    (path / "cat.py").chmod(0o640)
    if sealed:
        (path / environments.SEAL).write_text(json.dumps({"act": act}))
        os.utime(path / environments.SEAL, (used or time.time(),) * 2)
    return path


def test_whose_an_environment_is() -> None:
    """Another directory, Production or Act is somebody else; what asked for a password is nobody's."""
    others = [
        rehearsal_cache.owner("dogs", Act("kittens", source=SOURCE)),
        rehearsal_cache.owner("cats", Act("puppies", source=SOURCE)),
        rehearsal_cache.owner("cats", Act("kittens", source=Source("path", "/home/eve/kittens"))),
    ]
    assert len({OWNER, *others}) == 4
    assert rehearsal_cache.owner("cats", Act("kittens", source=Source("path", SOURCE.location, subdir="x"))) == OWNER
    private = Index(url="https://x", username="a", password="a-password")
    assert rehearsal_cache.owner("cats", Act("kittens", source=SOURCE, index=private)) == ""


def test_a_shared_one_stays_where_it_is(stage: House) -> None:
    stays = environment(stage, "a")
    gone = [environment(stage, "b", used=LONG_AGO), environment(stage, "c", sealed=False)]
    rehearsal_cache.put_away(stage.paths)
    assert (stays.exists(), [path.exists() for path in gone]) == (True, [False, False])


@pytest.fixture
def gone_users() -> Iterator[None]:
    yield
    for name in (names.player, names.builder):
        users.remove(name(names.REHEARSAL, "kittens"))


@pytest.mark.usefixtures("gone_users")
def test_one_of_an_act_is_its_own(stage: House) -> None:
    """Nobody but root reads it between rehearsals, and nobody else finds it."""
    began = time.time()
    own, before = environment(stage, "a", "kittens", began + 1), environment(stage, "b", "kittens", began - 1)
    made = (own / "cat.py").stat().st_ino
    rehearsal_cache.put_away(stage.paths, OWNER, began)
    assert (own.exists(), before.exists()) == (False, False)
    closed = os.stat(os.path.join(stage.paths.root, "kept"))
    assert (closed.st_mode & 0o777, closed.st_uid) == (0o700, 0)
    rehearsal_cache.bring_back(stage.paths.act("kittens"), rehearsal_cache.owner("cats", Act("puppies", source=SOURCE)))
    assert not own.exists()
    rehearsal_cache.bring_back(stage.paths.act("kittens"), OWNER)
    builder = users.find(names.builder(names.REHEARSAL, "kittens"))
    assert builder
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (own, own / "cat.py")} == {(0, builder.gid)}
    assert (own / "cat.py").stat().st_mode & 0o777 == 0o640
    assert (own / "cat.py").stat().st_ino == made, "hundreds of megabytes are not copied for a group"
    rehearsal_cache.put_away(stage.paths)
    assert not own.exists(), "a killed one's"


def test_one_of_an_act_does_not_stay_for_ever(stage: House) -> None:
    began = time.time()
    environment(stage, "a", "kittens", began + 1)
    rehearsal_cache.put_away(stage.paths, OWNER, began)
    shelf = Path(stage.paths.root, "kept", OWNER)
    os.utime(shelf / "a" / environments.SEAL, (LONG_AGO,) * 2)
    rehearsal_cache.put_away(stage.paths)
    assert not shelf.exists()


def test_all_is_forgotten(stage: House) -> None:
    environment(stage, "a")
    os.makedirs(stage.paths.cache)
    with locks.held(stage.paths.environments_lock, "ada", 0):  # as the build of an environment leaves it
        rehearsal_cache.put_away(stage.paths)
    rehearsal_cache.forget(stage.paths)
    rehearsal_cache.forget(stage.paths)
    assert not os.path.exists(stage.paths.root)


def test_any_run_removes_what_nobody_uses(stage: House) -> None:
    rehearsal_cache.sweep(last=True)
    environment(stage, "a")
    rehearsal_cache.put_away(stage.paths)
    rehearsal_cache.sweep()
    assert os.path.exists(stage.paths.root)
    os.utime(os.path.join(stage.paths.root, ".used"), (LONG_AGO,) * 2)
    with locks.held(rehearsal_cache.REHEARSAL_LOCK, "ada", 0):
        rehearsal_cache.sweep()
        assert os.path.exists(stage.paths.root), "one is under way"
    rehearsal_cache.sweep()
    assert not os.path.exists(stage.paths.root)
    assert not os.path.exists(rehearsal_cache.REHEARSAL_LOCK)


def strike(production_name: str, private: bool) -> None:
    order = Order(Manifest(production_name), whole=True, prune=True, strike=True, private=private)
    assert production.carry_out(order).errors == []


def test_the_end_of_a_rehearsal_leaves_packages(stage: House) -> None:
    shared = environment(stage, "a")
    for path in (stage.paths.cache, stage.paths.acts):
        os.makedirs(path)
    rehearsal_cache.put_away(stage.paths)
    strike(names.REHEARSAL, private=True)
    assert (shared.exists(), sorted(os.listdir(stage.paths.root))) == (True, [".used", "cache", "environments"])
    assert reports.productions() == [], "it is none that plays"


def test_the_last_production_takes_them_along(stage: House) -> None:
    environment(stage, "a")
    rehearsal_cache.put_away(stage.paths)
    for name in ("cats", "dogs"):
        os.makedirs(layout.Production(name).acts)
    strike("cats", private=False)
    assert os.path.exists(stage.paths.root)
    strike("dogs", private=False)
    assert os.listdir(layout.ROOT) == []
