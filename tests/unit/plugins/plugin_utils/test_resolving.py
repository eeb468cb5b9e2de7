# SPDX-License-Identifier: GPL-3.0-or-later
"""Every source of a manifest: once a repository, everything wrong at once, packed once a content."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Source
from ansible_collections.backstage.django.plugins.plugin_utils import resolving
from ansible_collections.backstage.django.plugins.plugin_utils.sources import git as git_source

from ..repositories import commit, git, repository
from ..told import told


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """An inventory with a repository and a directory beside it."""
    root = tmp_path / "inventory"
    commit(repository(root / "repository"), a__py="one")
    git(root / "repository", "tag", "v1")
    (root / "kittens").mkdir()
    (root / "kittens" / "manage.py").write_text("")
    return root


def act(name: str, *source: str, state: str = "present") -> Act:
    return Act(name, state=state, source=Source(*source) if source else None)


TAGGED = act("tagged", "git", "./repository", "v1")
MAIN = act("main", "git", "./repository", "main")
PATH = act("path", "path", "kittens")


def test_all_kinds(inventory: Path) -> None:
    head = git(inventory / "repository", "rev-parse", "HEAD")
    found = resolving.resolve([TAGGED, MAIN, PATH, act("pinned", "git", "./repository", head)], str(inventory))
    assert found["tagged"] == {"content": head, "label": "v1"}
    assert found["main"] == {"content": head, "label": "main"}
    assert found["pinned"] == {"content": head, "label": head}
    assert (len(found["path"]["content"]), found["path"]["label"]) == (64, "kittens")


@pytest.mark.parametrize(
    "acts", [[], [act("gone", "git", "./nowhere", "v1", state="absent")], [act("none")]], ids=["no", "absent", "none"]
)
def test_what_has_no_source_is_not_asked(inventory: Path, acts: list[Act]) -> None:
    assert resolving.resolve(acts, str(inventory)) == {}


def test_one_question_a_repository_and_none_for_commits(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    list_refs = git_source.list_refs

    def count(source: Source, base: str) -> dict[str, str]:
        asked.append(git_source.location(source, base))
        return list_refs(source, base)

    monkeypatch.setattr(git_source, "list_refs", count)
    acts = [act(f"a{number}", "git", "./repository", "v1") for number in range(5)]
    resolving.resolve([*acts, MAIN, act("pinned", "git", "https://nowhere.invalid/", "0" * 40)], str(inventory))
    assert asked == [str(inventory / "repository")]
    resolving.resolve([*acts, MAIN, act("pinned", "git", "https://nowhere.invalid/", "0" * 40)], str(inventory))
    assert len(asked) == 1, "once a run"


def test_each_key_asks_for_itself(inventory: Path) -> None:
    """A key that is wrong for one Act is no other's failure."""
    lost = Act("lost", source=Source("git", "./repository", "main", key="lost"))
    for acts in ([TAGGED, lost], [lost, TAGGED]):
        said = f"backstage_acts[lost].source: there is no key {inventory}/lost on the controller"
        assert told(resolving.resolve, acts, str(inventory)) == said


def test_everything_wrong_is_said_at_once_and_again(inventory: Path) -> None:
    acts = [
        TAGGED,
        act("lost", "git", "./nowhere", "v1"),
        act("old", "git", "./repository", "v0"),
        act("dir", "path", "dogs"),
    ]
    for _again in range(2):  # the second host is told the same
        lines = told(resolving.resolve, acts, str(inventory)).splitlines()
        assert [line.split(" ")[0] for line in lines] == [
            f"backstage_acts[{name}].source:" for name in ("lost", "old", "dir")
        ]
        assert "does not answer" in lines[0]
        assert "'v0' is no tag" in lines[1]
        assert "there is no directory" in lines[2]


def test_another_version_is_another_question(inventory: Path) -> None:
    before = resolving.resolve([MAIN], str(inventory))
    after = commit(inventory / "repository", a__py="two")
    assert resolving.resolve([MAIN], str(inventory)) == before, "the same commit on every host of a run"
    pinned = act("main", "git", "./repository", after)
    assert resolving.resolve([pinned], str(inventory))["main"]["content"] == after


@pytest.mark.parametrize("wanted", [TAGGED, PATH])
def test_packed_once(inventory: Path, wanted: Act) -> None:
    content = resolving.resolve([wanted], str(inventory))[wanted.name]["content"]
    first = resolving.pack(wanted, content, str(inventory))
    made = os.stat(first["path"])
    assert resolving.pack(wanted, content, str(inventory)) == first
    assert os.stat(first["path"]).st_ino == made.st_ino
    assert hashlib.sha256(Path(first["path"]).read_bytes()).hexdigest() == first["sha256"]
    with tarfile.open(first["path"]) as archive:
        assert archive.getnames() == (["a.py"] if wanted is TAGGED else ["manage.py"])


def test_a_pack_that_failed_leaves_nothing_to_be_shipped(inventory: Path) -> None:
    content = resolving.resolve([PATH], str(inventory))["path"]["content"]
    (inventory / "kittens" / "manage.py").write_text("changed")
    assert "changed while it was shipped" in told(resolving.pack, PATH, content, str(inventory))
    assert "changed while it was shipped" in told(resolving.pack, PATH, content, str(inventory))


def test_no_source() -> None:
    assert told(resolving.pack, act("none"), "0", "/") == "backstage_acts[none].source: is missing"
