# SPDX-License-Identifier: GPL-3.0-or-later
"""Each Act that can't play gets one error line, and no other Act is touched (FAULTS 8, 9, 37, 47 and 48).

All Acts of a table are in one run. The run names each of them, and the Acts that play go on.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from bed import Bed, Repository
from faults.controller import Run
from mishaps import Mishaps, told
from repository import git

TRACE = "/opt/garage-trace"  # what nobody may leave, here or on a host
HOSTILE = [
    f"--upload-pack=touch {TRACE}",
    f"ext::sh -c touch% {TRACE}",
    "fd::17",
    f"ssh://-oProxyCommand=touch{TRACE}/x",
]
NAMES = {
    **{f"repository-{number}": {"git": name, "version": "main"} for number, name in enumerate(HOSTILE)},
    "branch-option": {"git": "https://example.com/x.git", "version": HOSTILE[0]},
    "branch-path": {"git": "https://example.com/x.git", "version": "../../x"},
    "password": {"git": "https://me:a-password-in-a-url@example.com/x.git", "version": "main"},
    "unpinned": {"package": "garage-revue"},
    "no-checksum": {"archive": "https://example.com/x.tar.gz"},
}


def _entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


MALICIOUS = {
    "above": [_entry(f"club/../../..{TRACE}")],
    "absolute": [_entry(TRACE)],
    "through-a-link": [_entry("club/out", tarfile.SYMTYPE, "/opt"), _entry("club/out/garage-trace")],
    "link-up": [_entry("club/out", tarfile.SYMTYPE, "../../../..")],
    "hard-link": [_entry("club/passwd", tarfile.LNKTYPE, "/etc/passwd")],
    "device": [_entry("club/null", tarfile.CHRTYPE)],
    "pipe": [_entry("club/pipe", tarfile.FIFOTYPE)],
}
REQUIREMENTS = {
    "bad-line": ("Django=5.2.15\n", "the requirements can't be read at 'Django=5.2.15'"),
    "gone": ("Django==5.2.15\ngarage-gone==1.0\n", "the package 'garage-gone' is not in the index"),
    "other-version": ("Django==5.2.99\n", "the index has no django==5.2.99"),
    "other-hash": (f"asgiref==3.13.0 --hash=sha256:{'0' * 64}\n", "asgiref"),
    "other-python": ("garage-future==1.0\n", "'garage-future==1.0' needs Python>=3.99"),
}


@pytest.fixture(scope="module")
def stage(bed: Bed) -> Mishaps:
    found = Mishaps(bed, bed.fork("mishaps/plain").url)
    assert found.play().code == 0
    return found


@pytest.fixture(autouse=True)
def nobody_left_a_trace(stage: Mishaps) -> Any:
    yield
    stage.plays_on()
    assert not Path(TRACE).exists()
    assert not stage.bed.hosts[stage.host].ok(f"test -e {TRACE}")


@pytest.fixture(scope="module")
def names(stage: Mishaps) -> Run:
    return stage.play(**{name: {"source": source} for name, source in NAMES.items()})


@pytest.mark.parametrize("act", NAMES)
def test_fault_47_hostile_names_are_refused(names: Run, act: str) -> None:
    """One run names all of them, before it asks any repository."""
    assert told(names, act).startswith(f"backstage_acts[{act}].source")
    assert "a-password-in-a-url" not in names.printed


@pytest.fixture(scope="module")
def versions(stage: Mishaps) -> Run:
    good, closed = stage.good["source"], {"git": stage.bed.url("closed/plain"), "version": "v1"}
    acts = {
        "no-tag": {**good, "version": "v99"},
        "no-repository": {**good, "git": stage.bed.url("mishaps/nobody")},
        "no-token": closed,
        "wrong-token": {**closed, "username": "reader", "password": "not-it-51d8"},
    }
    return stage.play(**{name: {"source": source} for name, source in acts.items()})


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("no-tag", "'v99' is no tag, branch or commit"),
        ("no-tag", "known: main, v1, v2"),
        ("no-repository", "mishaps/nobody.git"),
        ("no-token", "closed/plain.git"),
        ("wrong-token", "closed/plain.git"),
    ],
)
def test_fault_08_a_version_that_does_not_exist(versions: Run, act: str, said: str) -> None:
    assert said in told(versions, act)
    assert "not-it-51d8" not in versions.printed


@pytest.fixture(scope="module")
def sources(stage: Mishaps, tmp_path_factory: pytest.TempPathFactory) -> Run:
    bed, folder = stage.bed, tmp_path_factory.mktemp("archives")
    archive = {"archive": f"{bed.stock['url']}/archives/club-1.0.tar.gz", "checksum": f"sha256:{'1' * 64}"}
    acts = {
        "no-commit": {**stage.good["source"], "version": "0" * 39 + "1"},
        "submodule-gone": with_submodule(bed.fork("mishaps/gone"), bed.url("mishaps/nobody")),
        **{
            f"submodule-{number}": with_submodule(bed.fork(f"mishaps/hostile{number}"), HOSTILE[number])
            for number in (0, 1)
        },
        "other-checksum": archive,
        "no-archive": {**archive, "archive": f"{bed.stock['url']}/archives/club-9.9.tar.gz"},
        **{kind: packed(folder / f"{kind}.tar", MALICIOUS[kind]) for kind in MALICIOUS},
    }
    return stage.play(**{name: {"source": source} for name, source in acts.items()})


def with_submodule(fork: Repository, url: str) -> dict[str, Any]:
    """Return a source whose branch names a commit that its submodule does not have."""
    fork.commit({".gitmodules": f'[submodule "tune"]\n\tpath = tune\n\turl = {url}\n'})
    tree = git(fork.place, "ls-tree", "main") + f"160000 commit {'1' * 40}\ttune\n"
    made = git(fork.place, "mktree", "--missing", text=tree).strip()
    commit = git(fork.place, "commit-tree", made, "-p", "main", "-m", "With a submodule").strip()
    git(fork.place, "update-ref", "refs/heads/main", commit)
    return {"git": fork.url, "version": "main", "submodules": True}


def packed(archive: Path, members: list[tarfile.TarInfo]) -> dict[str, Any]:
    with tarfile.open(archive, "w") as tar:
        for member in [_entry("club/manage.py"), *members]:
            tar.addfile(member, io.BytesIO(b""))
    return {"archive": str(archive), "checksum": "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()}


@pytest.mark.parametrize(
    ("act", "said"), [("no-commit", f"has no commit {'0' * 39}1"), ("submodule-gone", "mishaps/nobody.git")]
)
def test_fault_08_a_source_that_can_not_be_fetched(sources: Run, act: str, said: str) -> None:
    assert said in told(sources, act)


@pytest.mark.parametrize("act", ["submodule-0", "submodule-1"])
def test_fault_47_hostile_submodules_are_refused(sources: Run, act: str) -> None:
    assert "the submodule 'tune'" in told(sources, act)


@pytest.mark.parametrize("act", MALICIOUS)
def test_fault_48_malicious_archives_are_refused(sources: Run, act: str) -> None:
    assert f"{act}.tar is refused" in told(sources, act)


def test_an_archive_with_another_checksum_is_refused(sources: Run, bed: Bed) -> None:
    assert f"it has sha256:{bed.stock['tar_sha256']}" in told(sources, "other-checksum")
    assert "404" in told(sources, "no-archive")


@pytest.fixture(scope="module")
def requirements(stage: Mishaps) -> Run:
    source = {"path": str(stage.bed.checkout / "tests/corpus/base")}
    acts: dict[str, Any] = {name: {"source": source, **wanting(text)} for name, (text, _said) in REQUIREMENTS.items()}
    private = f"{stage.bed.stock['url']}/private/simple/"
    index = {"extra_urls": [private], "username": "reader", "password": "not-the-password-1f7c"}
    acts["wrong-password"] = {"source": source, **wanting("garage-solo==1.0\n"), "index": index}
    acts["no-package"] = {"source": source, "packages": ["garage-no-such-package"]}
    return stage.play(**acts)


def wanting(text: str) -> dict[str, Any]:
    return {"files": [{"path": "requirements.txt", "content": text}]}


@pytest.mark.parametrize("act", REQUIREMENTS)
def test_fault_09_bad_requirements_are_named(requirements: Run, act: str) -> None:
    line = told(requirements, act)
    assert line.startswith(f"act {act}, environment on ")
    assert REQUIREMENTS[act][1] in line


def test_fault_09_a_wrong_password_of_the_index(requirements: Run) -> None:
    assert "password" in told(requirements, "wrong-password")
    assert "not-the-password-1f7c" not in requirements.printed


def test_fault_37_a_missing_package_is_named(requirements: Run) -> None:
    assert "garage-no-such-package" in told(requirements, "no-package")
