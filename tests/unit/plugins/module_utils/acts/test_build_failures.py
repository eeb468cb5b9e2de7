# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds that fail or are killed, and what they leave."""

from __future__ import annotations

import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import environments
from ansible_collections.backstage.django.plugins.module_utils.host import files, names, process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, File, Source

from ...conftest import Crew
from ...house import A, House
from ...projects import Text, settings
from .jobs import KEY, KITTENS, built, failure, job

FAILURES: list[tuple[str, Act, dict[str, Text], str, str]] = [
    # (what, the Act, the project, step, a part of the sentence)
    (
        "packages",
        replace(KITTENS, packages=["nonesuch-1", "bash"]),
        {},
        "packages",
        "are missing on this host: nonesuch-1;",
    ),
    (
        "subdir",
        replace(KITTENS, source=Source("git", "a", "v1", "site")),
        {},
        "",
        "/code/site': correct 'subdir' or 'chdir'",
    ),
    ("requirements", KITTENS, {"requirements__txt": None}, "", "says nowhere which packages it needs"),
    (
        "a program",
        replace(KITTENS, build=["nonesuch-1 x"]),
        {},
        "build",
        "the program 'nonesuch-1' is missing: add its Debian",
    ),
    (
        "a command",
        replace(KITTENS, build=["true", "sh -c 'exit 7'"]),
        {},
        "build",
        "'sh -c 'exit 7'' ended with status 7",
    ),
    (
        "a program of its own that is not there",
        replace(KITTENS, build=["./make.sh all"]),
        {},
        "build",
        "'./make.sh all' can't be run (No such file or directory)",
    ),
    (
        "one that is not executable",
        replace(KITTENS, build=["./manage.py version"]),
        {},
        "build",
        "'./manage.py version' can't be run (Permission denied)",
    ),
    ("settings", KITTENS, {"kittens___settings__py": "1 / 0"}, "settings", "division by zero"),
    ("a file behind a link", replace(KITTENS, files=[File("l/x", "")]), {"l": None}, "", "which is a link or a file"),
    (
        "no callable",
        KITTENS,
        {"kittens___settings__py": settings("WSGI_APPLICATION = None")},
        "settings",
        "the settings have no WSGI_APPLICATION: set 'application'",
    ),
    (
        "a callable in another form",
        KITTENS,
        {"kittens___settings__py": settings('WSGI_APPLICATION = "kittens.wsgi:application"')},
        "settings",
        "WSGI_APPLICATION of the settings is 'kittens.wsgi:application': write it as 'kittens.wsgi.application', or",
    ),
    (
        "another database",
        replace(KITTENS, database="postgresql"),
        {},
        "check",
        "db.sqlite3', not the manifest's postgresql: have DATABASES read DATABASE_URL, or leave 'database' out",
    ),
    (
        "a URL prefix",
        KITTENS,
        {"kittens___settings__py": settings('STATIC_URL = "/st{a}tic/"')},
        "settings",
        "the URL prefix '/st{a}tic/' of the settings can't be served: use one such as '/static/'",
    ),
]


@pytest.mark.parametrize(
    ("act", "texts", "step", "sentence"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES]
)
def test_a_failure_leaves_nothing(workplace: House, act: Act, texts: dict[str, Text], step: str, sentence: str) -> None:
    if "l" in texts:
        (workplace.root / "source").mkdir()
        (workplace.root / "source" / "l").symlink_to("cats")
    found = failure(workplace, job(workplace, act, **{name: text for name, text in texts.items() if name != "l"}))
    assert sentence in found.message
    assert not step or found.step == step
    assert "purr-purr" not in str(found)


@pytest.mark.parametrize("is_rehearsed", [True, False])
def test_what_a_rehearsal_fetched_is_there_for_its_next_try(
    workplace: House, crew: Crew, monkeypatch: pytest.MonkeyPatch, is_rehearsed: bool
) -> None:
    """Also of a build that failed; any other build begins with nothing."""
    cache = Path(workplace.act().workshop, "uv")
    found: list[bool] = []

    def make(_paths: Any, _wanted: Any, _uv: str, _code: str) -> str:
        found.append((cache / "wheel").exists())
        cache.mkdir(exist_ok=True)
        (cache / "wheel").write_text("")
        if len(found) == 1:
            raise BackstageError("no compiler", step="environment")
        return KEY

    monkeypatch.setattr(environments, "make", make)
    if is_rehearsed:
        monkeypatch.setattr(names, "REHEARSAL", workplace.production)
    assert failure(workplace, job(workplace)).message == "no compiler"
    built(workplace, job(workplace))
    assert found == [False, is_rehearsed]
    assert os.path.exists(workplace.act().fetched) == is_rehearsed


def test_fault_2_what_a_killed_build_left_is_made_anew(workplace: House) -> None:
    release = workplace.act().release(A)
    for path in (release.code, workplace.act().workshop):
        os.makedirs(path)
        Path(path, "half").write_text("")
    built(workplace, job(workplace))
    assert not os.path.exists(release.code + "/half")


def test_a_process_that_a_command_left_is_ended(workplace: House, crew: Crew) -> None:
    """After each of them, not only at the seal: the next one's files are its own."""
    line = "sh -c 'setsid sleep 64.125 >/dev/null 2>&1 & sleep 0.1'"
    built(workplace, job(workplace, replace(KITTENS, build=[line, "sh -c '! pgrep -u $(id -u) -f 64[.]125'"])))
    said = process.run(["pgrep", "-u", str(crew.builder.uid), "-f", "64.125"])
    assert said.out == ""


def test_a_source_that_leaves_its_tree(workplace: House) -> None:
    one = job(workplace)
    with tarfile.open(one.archive, "w:gz") as tar:
        member = tarfile.TarInfo("../x")
        tar.addfile(member)
    assert failure(workplace, one).message == "the source's entry '../x' is refused: it leaves the tree"


def test_fault_3_no_room(workplace: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SPARE", 1 << 60)
    assert failure(workplace, job(workplace)).message.startswith("the disk is full: the release needs ")


def test_without_a_stage(workplace: House) -> None:
    bare = replace(workplace, host=replace(workplace.host, has_stage=False))
    assert "this host has no stage" in failure(bare, job(bare)).message
