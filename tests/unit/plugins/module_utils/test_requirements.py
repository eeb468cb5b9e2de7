# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages an Act needs: files of a project -> the flattened texts, or the line that refuses them."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils import requirements

from ..told import told

Files = dict[str, str]
R = "requirements.txt"

COLLECTED: list[tuple[str, Files, Optional[list[str]], str, str]] = [
    # (what, the project's files, the manifest's list, requirements, constraints)
    ("found", {R: "Django==5.2\n"}, None, "Django==5.2", ""),
    ("named", {R: "a\n", "dev.txt": "b\n"}, ["dev.txt"], "b", ""),
    ("several, in their order", {"a.txt": "a\n", "b.txt": "b\n"}, ["b.txt", "a.txt"], "b\na", ""),
    ("none wanted", {R: "a\n"}, [], "", ""),
    ("empty", {R: "\n \n# nothing\n"}, None, "", ""),
    ("comments", {R: "# a\na # why\nb#c\n  c  \n"}, None, "a\nb#c\nc", ""),
    ("a fragment is no comment", {R: "a @ https://x/a.zip#sha256=0\n"}, None, "a @ https://x/a.zip#sha256=0", ""),
    ("joined lines", {R: "a==1 \\\n    --hash=sha256:0\n"}, None, "a==1      --hash=sha256:0", ""),
    ("other line ends", {R: "a==1 \\\r\n  --hash=sha256:0\r\nb\r\n"}, None, "a==1    --hash=sha256:0\nb", ""),
    ("an index of its own", {R: "-i https://x/simple\na\n"}, None, "-i https://x/simple\na", ""),
    ("markers", {R: 'a; python_version < "3.12"\n'}, None, 'a; python_version < "3.12"', ""),
    ("included", {R: "-r base.txt\nb\n", "base.txt": "a\n"}, None, "a\nb", ""),
    ("included in long", {R: "--requirement=base.txt\n", "base.txt": "a\n"}, None, "a", ""),
    ("included without a blank", {R: "-rbase.txt\nb\n", "base.txt": "a\n"}, None, "a\nb", ""),
    ("relative to the file", {R: "-r r/a.txt\n", "r/a.txt": "-r b.txt\n-r ../c.txt\n", "r/b.txt": "b", "c.txt": "c"},
     None, "b\nc", ""),
    ("in a circle", {R: "-r a.txt\nz\n", "a.txt": f"-r {R}\na\n"}, None, "a\nz", ""),
    ("twice", {R: "-r a.txt\n-r ./a.txt\n", "a.txt": "a\n"}, None, "a", ""),
    ("constraints", {R: "-c c.txt\na\n", "c.txt": "b<2\n"}, None, "a", "b<2"),
    ("constraints without a blank", {R: "-cc.txt\na\n", "c.txt": "b<2\n"}, None, "a", "b<2"),
    ("constraints of constraints",
     {R: "-c c.txt\na\n", "c.txt": "-r d.txt\n-c e.txt\n", "d.txt": "d<2", "e.txt": "e<2"}, None, "a", "d<2\ne<2"),
    ("one file as both", {R: "-c base.txt\n-r base.txt\n", "base.txt": "a==1\n"}, None, "a==1", "a==1"),
]  # fmt: skip
LOCAL = "refers to the project itself, which is not built yet"
REFUSED: list[tuple[Files, Optional[list[str]], str]] = [
    ({}, None, "the project says nowhere which packages it needs; add a requirements.txt,"
     " or name its files in 'requirements'"),
    *[({name: ""}, None, f"requirements from {name} are not built yet; add a requirements.txt")
      for name in ("uv.lock", "pylock.toml", "pyproject.toml")],
    ({}, [R], f"the requirements file '{R}' is not in the project"),
    ({R: "-r base.txt\n"}, None, "the requirements file 'base.txt' is not in the project"),
    ({R: "-r ../../base.txt\n"}, None, "the requirements file '../../base.txt' is outside the project"),
    ({R: "-c /etc/shadow\n"}, None, "the requirements file '/etc/shadow' is outside the project"),
    *[({R: f"a\n{line}\n"}, None, f"{R}: '{line}' {LOCAL}")
      for line in (".", ".[dev]", "./lib", "../lib", "/srv/lib", "-e .", "-e.", "--editable=.", "--editable ./lib",
                   "file:///srv/lib", "lib @ file:///srv/lib", "lib[x] @ file:lib")],
]  # fmt: skip


def project(tmp_path: Path, files: Files) -> str:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    return str(tmp_path)


@pytest.mark.parametrize(
    ("files", "named", "wanted", "constraints"), [row[1:] for row in COLLECTED], ids=[row[0] for row in COLLECTED]
)
def test_collected(tmp_path: Path, files: Files, named: Optional[list[str]], wanted: str, constraints: str) -> None:
    found = requirements.collect(project(tmp_path, files), named)
    assert found == {"requirements": wanted, "constraints": constraints}


@pytest.mark.parametrize(("files", "named", "said"), REFUSED)
def test_refused(tmp_path: Path, files: Files, named: Optional[list[str]], said: str) -> None:
    assert told(requirements.collect, project(tmp_path, files), named) == said
