# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources in git: real repositories, asked, fetched and packed; and mirrors that killed runs left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tarfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Source
from ansible_collections.backstage.django.plugins.plugin_utils.sources import git as sources

from ...repositories import commit, git, repository
from ...told import told

NOBODY = "0" * 40


@pytest.fixture
def kittens(tmp_path: Path) -> Path:
    """Tags v1 (annotated), v1.1 (not), both and same (also branches); branches main, feature/cats, both and same."""
    root = repository(tmp_path / "kittens")
    commit(root, a__py="one")
    git(root, "tag", "--annotate", "--message", "first", "v1")
    commit(root, a__py="two")
    git(root, "tag", "v1.1")
    git(root, "branch", "feature/cats")
    git(root, "tag", "both")
    git(root, "tag", "same")
    git(root, "branch", "same")
    commit(root, a__py="three")
    git(root, "branch", "both")
    return root


def source(kittens: Path, version: str) -> Source:
    return Source("git", str(kittens), version)


def resolved(kittens: Path, version: str) -> str:
    return sources.resolve(source(kittens, version), "/", sources.list_refs(source(kittens, version), "/"))


RESOLVED = [("v1", "v1^{commit}"), ("v1.1", "main~1"), ("main", "main"), ("feature/cats", "main~1")]


@pytest.mark.parametrize(("version", "named"), RESOLVED)
def test_resolved(kittens: Path, version: str, named: str) -> None:
    assert resolved(kittens, version) == git(kittens, "rev-parse", named)


def test_a_commit_needs_no_answer() -> None:
    assert sources.resolve(Source("git", "https://nowhere.invalid/", NOBODY), "/", {}) == NOBODY


def test_a_tag_and_its_commit_are_one_source(kittens: Path) -> None:
    assert resolved(kittens, "v1") == resolved(kittens, git(kittens, "rev-parse", "v1^{commit}"))


def test_a_branch_moves(kittens: Path) -> None:
    before = resolved(kittens, "main")
    after = commit(kittens, a__py="four")
    assert (resolved(kittens, "main"), before != after) == (after, True)
    git(kittens, "reset", "--hard", "--quiet", before)  # and back: a force-push
    assert resolved(kittens, "main") == before


def test_fault_8_refused_by_name(kittens: Path) -> None:
    said = told(resolved, kittens, "v2")
    assert said.startswith(f"'v2' is no tag, branch or commit of {kittens}; known: ")
    for name in ("both", "feature/cats", "main", "v1", "v1.1"):
        assert name in said
    assert "^{}" not in said
    for name in ("both", "same"):
        assert told(resolved, kittens, name) == f"'{name}' is both a tag and a branch of {kittens}; name the commit"
    assert "known: none" in told(resolved, repository(kittens.parent / "empty"), "main")


@pytest.mark.parametrize("version", ["HEAD", "refs/heads/main", "ain", "mai", "cats"])
def test_only_whole_names(kittens: Path, version: str) -> None:
    assert "is no tag, branch or commit" in told(resolved, kittens, version)


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("./kittens", "/inventory/kittens"),
        ("../kittens.git", "/kittens.git"),
        ("/srv/kittens", "/srv/kittens"),
        ("https://a/b", "https://a/b"),
        ("git@a:b", "git@a:b"),
    ],
)
def test_location(location: str, found: str) -> None:
    assert sources.location(Source("git", location, "v1"), "/inventory") == found


@pytest.mark.parametrize(
    "repository", ["/nowhere", "https://nowhere.invalid/a.git", "--upload-pack=touch x", "ext::sh"]
)
def test_fault_47_a_repository_that_does_not_answer(
    repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(sources.list_refs, Source("git", repository, "v1"), "/").startswith(f"{repository} does not answer (")
    assert sorted(os.listdir(tmp_path)) == ["home", "run"]


def packed(kittens: Path, tmp_path: Path, version: str = "main") -> dict[str, str]:
    """The texts of the files in the archive of a version."""
    target = tmp_path / "a.tgz"
    sources.archive(source(kittens, version), "/", git(kittens, "rev-parse", version + "^{commit}"), str(target))
    with tarfile.open(target) as archive:
        members = [member for member in archive if member.isfile()]
        return {member.name: (archive.extractfile(member) or target.open("rb")).read().decode() for member in members}


def test_packed(kittens: Path, tmp_path: Path) -> None:
    assert packed(kittens, tmp_path, "v1") == {"a.py": "one"}
    assert packed(kittens, tmp_path) == {"a.py": "three"}


def attributed(kittens: Path) -> dict[str, str]:
    """A checkout has what `git archive` leaves out and fills in for a download."""
    texts = {"tests.txt": "kept", "version.txt": "$Format:%H$", ".gitattributes": ATTRIBUTES}
    commit(kittens, **{name.replace(".", "__"): text for name, text in texts.items()})
    return {"a.py": "three", **texts}


ATTRIBUTES = "tests.txt export-ignore\nversion.txt export-subst\n"


def test_what_a_checkout_has(kittens: Path, tmp_path: Path) -> None:
    assert packed(kittens, tmp_path) != attributed(kittens) == packed(kittens, tmp_path)


def mirror(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache" / "backstage" / "git").glob("*.git")
    return found


def objects(found: Path) -> list[Path]:
    return [path for path in (found / "objects").rglob("*") if path.is_file()]


def empty(found: Path) -> None:
    shutil.rmtree(found)
    found.mkdir()


def only_made(found: Path) -> None:
    """Killed behind git init: nothing of it was set up."""
    shutil.rmtree(found)
    subprocess.run(["git", "init", "--quiet", "--bare", found], check=True)


def cut_short(found: Path) -> None:
    for path in objects(found):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:20])


LEFT: list[tuple[str, Callable[[Path], object]]] = [
    ("nothing", shutil.rmtree),
    ("an empty directory", empty),
    ("only made", only_made),
    ("objects that are cut short", cut_short),
    ("no HEAD", lambda found: (found / "HEAD").unlink()),
    ("an empty HEAD", lambda found: (found / "HEAD").write_text("")),
    ("a locked HEAD", lambda found: (found / "HEAD.lock").write_text("")),
    ("locked references", lambda found: (found / "packed-refs.lock").write_text("")),
    ("a locked branch", lambda found: (found / "refs" / "heads" / "main.lock").write_text("")),
    ("a locked configuration", lambda found: (found / "config.lock").write_text("")),
    ("a half configuration", lambda found: (found / "config").write_text("[core\n")),
    ("a branch cut short", lambda found: (found / "refs" / "heads" / "main").write_text("01")),
    ("a shallow lock", lambda found: (found / "shallow.lock").write_text("")),
    ("a half pack", lambda found: (found / "objects" / "pack" / "tmp_pack_x").write_text("PACK")),
]


@pytest.mark.parametrize("leave", [row[1] for row in LEFT], ids=[row[0] for row in LEFT])
def test_fault_7_a_mirror_that_a_killed_run_left(
    kittens: Path, tmp_path: Path, leave: Callable[[Path], object]
) -> None:
    packed(kittens, tmp_path)
    leave(mirror(tmp_path))
    expected = attributed(kittens)
    assert packed(kittens, tmp_path) == expected
    assert packed(kittens, tmp_path, "v1") == {"a.py": "one"}


def test_fault_7_a_mirror_that_lost_an_object(kittens: Path, tmp_path: Path) -> None:
    """Its references say that all is there, so a fetch brings nothing: whichever is gone, the answer is whole."""
    packed(kittens, tmp_path)
    whole, place = tmp_path / "whole", mirror(tmp_path)
    shutil.copytree(place, whole)
    for lost in [path.relative_to(whole) for path in objects(whole)]:
        shutil.rmtree(place)
        shutil.copytree(whole, place)
        (place / lost).unlink()
        assert packed(kittens, tmp_path, "v1") == {"a.py": "one"}
        assert packed(kittens, tmp_path) == {"a.py": "three"}


def test_fault_6_a_killed_fetch(kittens: Path, tmp_path: Path) -> None:
    """The mirror is the same afterwards; what was half there is fetched again."""
    packed(kittens, tmp_path)
    expected = {**attributed(kittens), "big": "x" * 10}
    (kittens / "random").write_bytes(os.urandom(8 << 20))
    commit(kittens, big="x" * 10)
    head = git(kittens, "rev-parse", "HEAD")
    for delay in (0.02, 0.05, 0.08):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            try:
                sources.archive(source(kittens, "main"), "/", head, str(tmp_path / "killed.tgz"))
            finally:
                os._exit(0)
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):  # a slow machine: it has no session of its own yet
            os.killpg(pid, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    git(kittens, "rm", "--quiet", "random")
    commit(kittens)
    assert packed(kittens, tmp_path) == expected


def test_a_repository_that_does_not_answer_costs_no_mirror(kittens: Path, tmp_path: Path) -> None:
    """Else a minute without network would cost the whole history once more."""
    packed(kittens, tmp_path)
    head, before = git(kittens, "rev-parse", "HEAD"), sorted(os.listdir(mirror(tmp_path).parent))
    kittens.rename(kittens.with_name("away"))
    wanted = source(kittens, "main")
    said = told(sources.archive, wanted, "/", "0" * 40, str(tmp_path / "a.tgz"))
    assert said.startswith(f"{kittens} can't be fetched (")
    assert told(sources.archive, wanted, "/", head, str(tmp_path / "a.tgz")) == ""
    assert sorted(os.listdir(mirror(tmp_path).parent)) == before


def test_two_runs_share_the_mirror(kittens: Path, tmp_path: Path) -> None:
    packed(kittens, tmp_path)
    lock = mirror(tmp_path).with_name(mirror(tmp_path).name + ".lock")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        pid = os.fork()
        if pid == 0:
            file.close()  # it would be the same lock
            packed(kittens, tmp_path)
            os._exit(0)
        time.sleep(0.2)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_commit_that_no_branch_has_any_more(kittens: Path, tmp_path: Path) -> None:
    """Force-pushed away, but named by the manifest: asked for by itself."""
    gone = commit(kittens, a__py="gone")
    git(kittens, "reset", "--hard", "--quiet", "HEAD~1")
    git(kittens, "config", "uploadpack.allowAnySHA1InWant", "true")
    sources.archive(source(kittens, gone), "/", gone, str(tmp_path / "a.tgz"))
    with tarfile.open(tmp_path / "a.tgz") as archive:
        assert archive.getnames() == ["a.py"]


def test_a_commit_that_is_nowhere(kittens: Path, tmp_path: Path) -> None:
    said = told(sources.archive, source(kittens, NOBODY), "/", NOBODY, str(tmp_path / "a.tgz"))
    assert said.startswith(f"{kittens} has no commit {NOBODY} (")


def test_a_repository_that_was_made_anew(kittens: Path, tmp_path: Path) -> None:
    packed(kittens, tmp_path)
    shutil.rmtree(kittens)
    commit(repository(kittens), other__py="new")
    assert packed(kittens, tmp_path) == {"other.py": "new"}


def test_nobodys_configuration_counts(kittens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt would wait for ever, a hook's variables name another repository, an alias of the user runs anything."""
    other = repository(tmp_path / "other")
    commit(other, z__py="z")
    for name, value in {"GIT_DIR": other / ".git", "GIT_WORK_TREE": other, "GIT_INDEX_FILE": other / "x"}.items():
        monkeypatch.setenv(name, str(value))
    assert packed(kittens, tmp_path, "v1") == {"a.py": "one"}
    assert git(other, "status", "--porcelain") == ""


def test_the_cache_is_nobody_elses(kittens: Path, tmp_path: Path) -> None:
    packed(kittens, tmp_path)
    assert mirror(tmp_path).parent.stat().st_mode & 0o077 == 0


def test_without_git(kittens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = "git is not installed on the controller; install it, or use a 'path' source"
    assert told(sources.list_refs, source(kittens, "v1"), "/") == said


def with_submodule(kittens: Path, url: str, path: str = "lib") -> Path:
    """A repository that pins the first commit of kittens at a path."""
    root = repository(kittens.parent / "house")
    commit(root, house__py="house", __gitmodules=f'[submodule "one"]\n\tpath = {path}\n\turl = {url}\n')
    pin(root, path, git(kittens, "rev-parse", "v1^{commit}"))
    return root


def pin(root: Path, path: str, commit_id: str) -> str:
    """Commit a submodule without having it in the work tree."""
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{commit_id},{path}")
    git(root, "commit", "--quiet", "--message", "pinned")
    return git(root, "rev-parse", "HEAD")


@pytest.mark.parametrize("url", ["../kittens", "{absolute}"])
def test_submodules_at_the_commits_that_are_pinned(kittens: Path, tmp_path: Path, url: str) -> None:
    house = with_submodule(kittens, url.format(absolute=kittens), "deep/lib")
    head = git(house, "rev-parse", "HEAD")
    target = str(tmp_path / "a.tgz")
    for asked, names in ((True, {".gitmodules", "house.py", "deep/lib/a.py"}), (False, {".gitmodules", "house.py"})):
        sources.archive(replace(source(house, "main"), submodules=asked), "/", head, target)
        with tarfile.open(target) as archive:
            assert {member.name for member in archive if member.isfile()} == names


def test_submodules_of_submodules(kittens: Path, tmp_path: Path) -> None:
    house = with_submodule(kittens, "../kittens")
    street = repository(tmp_path / "street")
    commit(street, __gitmodules='[submodule "h"]\n\tpath = h\n\turl = ../house\n')
    head = pin(street, "h", git(house, "rev-parse", "HEAD"))
    sources.archive(Source("git", str(street), "main", submodules=True), "/", head, str(tmp_path / "a.tgz"))
    with tarfile.open(tmp_path / "a.tgz") as archive:
        assert {member.name for member in archive if member.isfile()} == {
            ".gitmodules",
            "h/.gitmodules",
            "h/house.py",
            "h/lib/a.py",
        }


@pytest.mark.parametrize("url", ["", "--upload-pack=x", "ext::sh -c x"])
def test_fault_47_a_submodule_that_is_no_repository(kittens: Path, tmp_path: Path, url: str) -> None:
    house = with_submodule(kittens, url)
    wanted = replace(source(house, "main"), submodules=True)
    said = told(sources.archive, wanted, "/", git(house, "rev-parse", "HEAD"), str(tmp_path / "a.tgz"))
    assert said == f"the submodule 'lib' of {house} has no repository that can be fetched ('{url}')"


def test_fault_8_a_submodule_that_can_not_be_reached(kittens: Path, tmp_path: Path) -> None:
    house = with_submodule(kittens, "../nowhere")
    wanted = replace(source(house, "main"), submodules=True)
    said = told(sources.archive, wanted, "/", git(house, "rev-parse", "HEAD"), str(tmp_path / "a.tgz"))
    assert said.startswith(f"submodule 'lib': {kittens.parent}/nowhere can't be fetched (")


@pytest.mark.parametrize(
    "url", ["/etc/secret", "file:///etc/secret", "File:///etc/secret", "inventory", "inventory/.git"]
)
def test_a_remote_repository_names_none_of_the_controller(url: str) -> None:
    """Its owner may not read what is on this machine by the name of a submodule."""
    said = told(sources._beside, "https://git.example.com/a/house.git", url, "lib")
    assert "lies on the controller" in said


BESIDE = [
    ("https://x/a/house.git", "../lib.git", "https://x/a/lib.git"),
    ("git@x:a/house.git", "../lib.git", "git@x:a/lib.git"),
    ("ssh://git@x/a/house", "./lib", "ssh://git@x/a/house/lib"),
    ("/srv/house", "../lib", "/srv/lib"),
    ("https://x/a/house.git", "https://y/lib", "https://y/lib"),
]


@pytest.mark.parametrize(("repository", "url", "found"), BESIDE)
def test_where_a_submodule_is(repository: str, url: str, found: str) -> None:
    assert sources._beside(repository, url, "lib") == found
