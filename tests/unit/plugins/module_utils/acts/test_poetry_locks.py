# SPDX-License-Identifier: GPL-3.0-or-later
"""Poetry's lock, in each of its formats -> pinned requirements, and constraints for what those need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import poetry_locks, requirements

from ...told import told

Files = dict[str, str]
L = "poetry.lock"
P = "pyproject.toml"
POETRY = '[tool.poetry.dependencies]\npython = "^3.9"\n'
FILES = 'files = [{file = "a.whl", hash = "sha256:1"}, {file = "a.tar.gz", hash = "sha256:2"}]\n'
HASHES = " --hash=sha256:1 --hash=sha256:2"


def locked(name: str, version: str, more: str = "") -> str:
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\n{more}'


def collect(tmp_path: Path, files: Files, named: Optional[list[str]] = None) -> dict[str, Any]:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found: dict[str, Any] = requirements.collect(str(tmp_path), str(tmp_path), named, "/nowhere/uv")
    return found


TWO = locked("django", "4.2.1") + locked("asgiref", "3.8.1")
GIT = '[package.source]\ntype = "git"\nurl = "https://x/lib.git"\nreference = "v1"\nresolved_reference = "0a"\n'
LOCKED: list[tuple[str, str, str, str, str]] = [
    # (what, the lock, what the project needs, requirements, constraints)
    ("as 1.1 has hashes", TWO + '[metadata.files]\nasgiref = [{file = "a.whl", hash = "sha256:1"}]\n',
     'Django = "^4"', "Django==4.2.1", "asgiref==3.8.1 --hash=sha256:1"),
    ("as 2.0 has hashes", locked("django", "4.2.1", FILES), 'Django = "^4"', f"Django==4.2.1{HASHES}", ""),
    ("names are written in many ways", locked("django-q2", "1.0"), 'Django_Q2 = "*"', "Django_Q2==1.0", ""),
    ("extras", TWO, 'Django = {version = "^4", extras = ["argon2", "bcrypt"]}', "Django[argon2,bcrypt]==4.2.1",
     "asgiref==3.8.1"),
    ("optional ones are of extras", TWO, 'Django = "^4"\nasgiref = {version = "3", optional = true}',
     "Django==4.2.1", "asgiref==3.8.1"),
    ("markers", TWO, "Django = {version = '^4', markers = \"sys_platform != 'win32'\", python = '^3.9'}",
     "Django==4.2.1 ; (sys_platform != 'win32') and (python_full_version >= '3.9' and python_full_version < '4')",
     "asgiref==3.8.1"),
    ("a platform", TWO, 'Django = {version = "^4", platform = "linux"}', "Django==4.2.1 ; (sys_platform == 'linux')",
     "asgiref==3.8.1"),
    ("one for each Python", TWO,
     'Django = [{version = "^3", python = "<3.8"}, {version = "^4", python = ">=3.8,!=3.9.1 || ~3.7.2"}]',
     "Django==4.2.1 ; (python_full_version < '3.8')\n"
     "Django==4.2.1 ; (python_full_version >= '3.8' and python_full_version != '3.9.1'"
     " or python_full_version >= '3.7.2' and python_full_version < '3.8')", "asgiref==3.8.1"),
    ("a wildcard", TWO, 'Django = {version = "4", python = "3.*"}',
     "Django==4.2.1 ; (python_full_version >= '3' and python_full_version < '4')", "asgiref==3.8.1"),
    ("two versions, told apart by markers",
     locked("a", "1", "groups = ['main']\nmarkers = 'python_version < \"3.9\"'\n")
     + locked("a", "2", "groups = ['main', 'dev']\nmarkers = {main = \"python_version >= '3.9'\"}\n")
     + locked("b", "1"),
     'b = "*"', "b==1", "a==1 ; (python_version < \"3.9\")\na==2 ; (python_version >= '3.9')"),
    ("both say when", locked("a", "1", "markers = 'os_name == \"x\"'\n"), "a = {markers = \"b == '1' or c == '1'\"}",
     "a==1 ; ((b == '1' or c == '1')) and (os_name == \"x\")", ""),
    ("two versions, and nothing tells which", locked("a", "1") + locked("a", "2"), 'a = "*"', "a", ""),
    ("from git", locked("lib", "1", GIT), 'lib = {git = "https://x/lib.git"}',
     "lib @ git+https://x/lib.git@0a", ""),
    ("a part of a repository", locked("b", "1") + locked("lib", "1", f'{GIT}subdirectory = "in"\n'), 'b = "*"',
     "b==1", "lib @ git+https://x/lib.git@0a#subdirectory=in"),
    ("by its URL", locked("lib", "1", '[package.source]\ntype = "url"\nurl = "https://x/lib.whl"\n'),
     'lib = {url = "https://x/lib.whl"}', "lib @ https://x/lib.whl", ""),
    ("another index", locked("lib", "1", '[package.source]\ntype = "legacy"\nurl = "https://x/simple"\n'
     'reference = "x"\n'), 'lib = "*"', "--extra-index-url https://x/simple\nlib==1", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lock", "needs", "wanted", "constraints"), [row[1:] for row in LOCKED], ids=[row[0] for row in LOCKED]
)
def test_locked(tmp_path: Path, lock: str, needs: str, wanted: str, constraints: str) -> None:
    found = collect(tmp_path, {L: lock, P: f"{POETRY}{needs}\n"})
    assert (found["requirements"], found["constraints"], found["local"]) == (wanted, constraints, False)


def test_of_the_project_table(tmp_path: Path) -> None:
    """Poetry 2 reads what all tools read, and its own table for what that can't say."""
    needs = ["Django[argon2] (>=4,<5) ; os_name == 'posix'", "asgiref>=3", "x @ file:x"]
    pyproject = f"[project]\ndependencies = {json.dumps(needs)}\n"
    found = collect(tmp_path, {L: TWO, P: pyproject, "x/y": ""})
    assert found["requirements"] == "Django[argon2]==4.2.1 ; os_name == 'posix'\nasgiref==3.8.1\n./x"


def test_a_directory_of_the_project(tmp_path: Path) -> None:
    lock = locked("lib", "1", '[package.source]\ntype = "directory"\nurl = "libs/lib"\n')
    found = collect(tmp_path, {L: lock, P: POETRY + 'lib = {path = "libs/lib"}\n', "libs/lib/x": ""})
    assert (found["requirements"], found["local"]) == ("./libs/lib", True)


def test_developers_and_groups_are_left_out(tmp_path: Path) -> None:
    needs = f'{POETRY}Django = "^4"\n[tool.poetry.dev-dependencies]\npytest = "8"\n'
    needs += '[tool.poetry.group.x.dependencies]\ny = "1"\n'
    found = collect(tmp_path, {L: TWO + locked("pytest", "8"), P: needs})
    assert found["requirements"] == "Django==4.2.1"


INSTALLED = [
    # (more of the pyproject.toml, another file, whether the project itself is installed)
    ("", "a/x", False),
    ("", "src/a/x", True),
    ("[tool.poetry.scripts]\na = 'a:main'\n", "a/x", True),
    ("[tool.poetry]\npackage-mode = false\n", "src/a/x", False),
]


@pytest.mark.parametrize(("more", "file", "is_installed"), INSTALLED)
def test_the_project_itself(tmp_path: Path, more: str, file: str, is_installed: bool) -> None:
    pyproject = f'{POETRY}Django = "^4"\n{more}[build-system]\nrequires = ["poetry-core"]\n'
    found = collect(tmp_path, {L: TWO, P: pyproject, file: ""})
    assert (found["requirements"], found["local"]) == ("Django==4.2.1" + "\n." * is_installed, is_installed)


def test_what_comes_before_it(tmp_path: Path) -> None:
    """Like Pipenv's: where there is a requirements.txt, that is what a host installs."""
    assert collect(tmp_path, {L: TWO, P: POETRY, "requirements.txt": "a\n"})["requirements"] == "a"


REFUSED: list[tuple[Files, Optional[list[str]], str]] = [
    ({L: TWO}, None, "the requirements file 'pyproject.toml' is not in the project"),
    ({L: "x = [", P: POETRY}, None, f"{L} is no TOML ("),
    ({L: "package = 5\n", P: POETRY}, None, f"{L} can't be read ("),
    ({L: TWO, P: POETRY + 'new = "1"\n'}, None, f"{L} has no version of 'new', which {P} names: run 'poetry lock'"),
    ({P: POETRY}, None, f"{P} has no [project] table, and no {L} beside it: run 'poetry lock' and commit that, or"),
]


@pytest.mark.parametrize(("files", "named", "said"), REFUSED)
def test_refused(tmp_path: Path, files: Files, named: Optional[list[str]], said: str) -> None:
    assert told(collect, tmp_path, files, named).startswith(said)


def test_the_name_of_the_lock() -> None:
    assert poetry_locks.LOCK == L
