# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of repositories and of the controller's copies of them (rows 6, 7, 8 and 47)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import house
import pytest
from bed import Bed, returned
from faults.controller import Running
from mishaps import SHAKY, Mishaps, mirrors
from repository import git


@pytest.fixture(scope="module")
def stage(bed: Bed) -> Mishaps:
    found = Mishaps(bed, bed.fork("mishaps/plain").url)
    assert found.play().code == 0
    return found


def git_processes(run: Running, *does: str) -> list[int]:
    """The git processes below a run that do one of these; Ansible's workers lead sessions of their own."""
    parents, words = {}, {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            words[int(place.name)] = (place / "cmdline").read_text().split("\0")
    ours, more = {run.process.pid}, {run.process.pid}
    while more:
        more = {pid for pid, parent in parents.items() if parent in more}
        ours |= more
    return [pid for pid in ours if any(word in words.get(pid, ()) for word in does)]


def fetching(run: Running) -> list[int]:
    """Wait until it receives what it fetches."""
    while run.process.poll() is None:
        if found := git_processes(run, "index-pack", "unpack-objects"):
            return found
        time.sleep(0.05)
    raise AssertionError(run.end().printed[-3000:])


@pytest.fixture
def slow(bed: Bed) -> str:
    """A repository that takes some seconds to come."""
    fork = bed.fork("slow/plain")
    fork.commit({"ballast": os.urandom(1_500_000)})
    return fork.url


def test_fault_06_network_cut_in_a_fetch(stage: Mishaps, slow: str) -> None:
    run = stage.start(shaky={"source": {"git": slow, "version": "main"}})
    fetching(run)
    with stage.bed.dark():
        stage.refused(run.end(), slow)
    stage.converges()


def test_fault_06_git_killed(stage: Mishaps, slow: str) -> None:
    """It is tried once more, from nothing."""
    run = stage.start(shaky={"source": {"git": slow, "version": "main"}})
    for pid in fetching(run):
        os.kill(pid, signal.SIGKILL)
    ended = run.end()
    assert ended.code == 0, ended.printed[-3000:]
    assert "second plays" in stage.page()
    stage.converges()


def test_fault_07_what_a_killed_fetch_left(stage: Mishaps) -> None:
    fork = stage.bed.fork("mishaps/left")
    shutil.rmtree(stage.bed.cache, ignore_errors=True)
    fork.edition("to be left")
    assert stage.play(shaky={"source": {"git": fork.url, "version": "main"}}).code == 0
    (mirror,) = mirrors(stage.bed)
    for lock in ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock", "refs/heads/main.lock"):
        (mirror / lock).touch()
    (mirror / "objects/pack/tmp_pack_killed").write_bytes(b"PACK")
    fork.edition("mended")
    run = stage.play(shaky={"source": {"git": fork.url, "version": "main"}})
    assert run.code == 0, run.printed[-3000:]
    assert "mended plays" in stage.page()
    stage.converges()


def test_fault_07_a_damaged_copy(stage: Mishaps) -> None:
    fork = stage.bed.fork("mishaps/damaged")
    shutil.rmtree(stage.bed.cache, ignore_errors=True)
    fork.edition("to be damaged")
    assert stage.play(shaky={"source": {"git": fork.url, "version": "main"}}).code == 0
    (mirror,) = mirrors(stage.bed)
    for path in (mirror / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:20])
    fork.edition("afresh")
    run = stage.play(shaky={"source": {"git": fork.url, "version": "main"}})
    assert run.code == 0, run.printed[-3000:]
    assert "afresh plays" in stage.page()
    stage.converges()


def test_fault_07_two_runs_at_once(stage: Mishaps) -> None:
    """Of one controller, with one empty copy to share, for two hosts."""
    fork = stage.bed.fork("mishaps/shared")
    shutil.rmtree(stage.bed.cache, ignore_errors=True)
    fork.edition("shared")
    shaky = {"source": {"git": fork.url, "version": "main"}}
    other = Mishaps(stage.bed, fork.url, "h2")
    runs = [stage.start(shaky=shaky), other.start(shaky=shaky)]
    assert [run.end().code for run in runs] == [0, 0]
    assert "shared plays" in stage.page()
    assert "shared plays" in other.page()
    stage.converges()


def test_fault_08_no_such_version(stage: Mishaps) -> None:
    stage.refused(stage.play(shaky={"source": {**stage.good["source"], "version": "v99"}}), "'v99' is no tag", "v1, v2")
    gone = "0" * 39 + "1"
    stage.refused(stage.play(shaky={"source": {**stage.good["source"], "version": gone}}), gone)
    stage.converges()


def test_fault_08_moved_tag_and_forced_branch(stage: Mishaps) -> None:
    """What a name means is asked anew each time, and the commit is what counts."""
    fork = stage.bed.fork("mishaps/moved")
    first = fork.edition("as tagged")
    fork.tag("v3", first)
    assert stage.play(shaky={"source": {"git": fork.url, "version": "v3"}}).code == 0
    assert "as tagged plays" in stage.page()
    second = fork.edition("tagged anew", force=True)
    fork.tag("v3", second)
    assert stage.play(shaky={"source": {"git": fork.url, "version": "v3"}}).code == 0
    assert "tagged anew plays" in stage.page()
    assert stage.play(shaky={"source": {"git": fork.url, "version": "main"}}).changed == 1  # act.json alone
    sources = [line["source"] for line in _history(stage) if line["event"] == "built"]
    assert sources[-2:] == ["v3", "v3"]
    stage.converges()


def _history(stage: Mishaps) -> list[dict[str, str]]:
    text = stage.bed.hosts[stage.host].read("/srv/backstage/mishaps/acts/shaky/history.jsonl")
    return [json.loads(line) for line in text.splitlines()]


def test_fault_08_submodule_out_of_reach(stage: Mishaps) -> None:
    fork = stage.bed.fork("mishaps/pinned")
    with_submodule = stage.bed.url("mishaps/gone")
    fork.commit({".gitmodules": f'[submodule "tune"]\n\tpath = tune\n\turl = {with_submodule}\n'})
    _pin(fork.place)
    source = {"git": fork.url, "version": "main", "submodules": True}
    stage.refused(stage.play(shaky={"source": source}), with_submodule)
    assert stage.play(shaky={"source": {**source, "submodules": False}}).code == 0
    stage.converges()


def _pin(place: Path) -> None:
    """Have the branch name a commit of a submodule that nobody has."""
    tree = git(place, "ls-tree", "main") + f"160000 commit {'1' * 40}\ttune\n"
    made = git(place, "mktree", "--missing", text=tree).strip()
    commit = git(place, "commit-tree", made, "-p", "main", "-m", "With a submodule").strip()
    git(place, "update-ref", "refs/heads/main", commit)


TRACE = "/opt/garage-trace"  # what nobody may leave
HOSTILE = {
    "option": {"git": "--upload-pack=touch /opt/garage-trace", "version": "main"},
    "helper": {"git": "ext::sh -c touch% /opt/garage-trace", "version": "main"},
    "file-helper": {"git": "fd::17", "version": "main"},
    "host-option": {"git": "ssh://-oProxyCommand=touch/x", "version": "main"},
    "branch-option": {"git": "https://example.com/x.git", "version": "--upload-pack=touch /opt/garage-trace"},
    "branch-path": {"git": "https://example.com/x.git", "version": "../../x"},
    "with-password": {"git": "https://me:a-password-in-a-url@example.com/x.git", "version": "main"},
}


def test_fault_47_hostile_names(stage: Mishaps) -> None:
    """All are told at once, before any of them is asked anything."""
    run = stage.play(**{name.replace("-", "_"): {"source": source} for name, source in HOSTILE.items()})
    for name in HOSTILE:
        stage.refused(run, f"backstage_acts[{name}].source", act=name)
    assert "a-password-in-a-url" not in run.printed
    assert not Path(TRACE).exists()
    stage.converges()


def test_fault_47_hostile_submodule(stage: Mishaps) -> None:
    for number, url in enumerate(("ext::sh -c touch% /opt/garage-trace", "--upload-pack=touch /opt/garage-trace")):
        fork = stage.bed.fork(f"mishaps/hostile{number}")
        fork.commit({".gitmodules": f'[submodule "tune"]\n\tpath = tune\n\turl = {url}\n'})
        _pin(fork.place)
        source = {"git": fork.url, "version": "main", "submodules": True}
        stage.refused(stage.play(shaky={"source": source}), "submodule")
    assert not Path(TRACE).exists()
    stage.converges()


def _releases(bed: Bed) -> str:
    """Of the host whose turn is first."""
    return bed.hosts["h1"].sh("ls /srv/backstage/mishaps/acts/shaky/releases 2>/dev/null || true")


def test_a_branch_that_moves_during_the_run(bed: Bed) -> None:
    """Both hosts play the commit that was found first."""
    fork = bed.fork("mishaps/moving")
    fork.edition("before the run")
    manifest = Mishaps(bed, fork.url, "{{ inventory_hostname }}")
    manifest.good = {"source": {"git": fork.url, "version": "main"}}
    before = _releases(bed)
    run = bed.controller().start("deploy", "--forks=1", **manifest.manifest({}))
    while run.process.poll() is None and _releases(bed) == before:
        time.sleep(0.1)
    fork.edition("during the run")
    ended = run.end()
    assert ended.code == 0, ended.printed[-3000:]
    for address in bed.addresses.values():
        assert "before the run plays" in house.ask(address, SHAKY).text
    assert len(returned(ended, "playing")) == 2
