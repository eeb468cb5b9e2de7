# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages an Act needs: files of a project -> the flattened texts, or the line that refuses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import requirements

from ...told import told

Files = dict[str, str]
R = "requirements.txt"
P = "pyproject.toml"
BUILD = "[build-system]\nrequires = []\n"

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
    ("links of its own", {R: "-f https://x/links\n--find-links /srv/w\na\n"}, None,
     "-f https://x/links\n--find-links /srv/w\na", ""),
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
    ("an editable clone", {R: "-e git+https://x/a@v1#egg=a\n"}, None, "git+https://x/a@v1#egg=a", ""),
    ("before a pyproject.toml", {R: "a\n", P: "[project]\ndependencies = ['b']\n"}, None, "a", ""),
    ("a clone by ssh", {R: "a @ git+ssh://git@x/a\n"}, None, "a @ git+ssh://git@x/a", ""),
    ("marked as UTF-8", {R: "\ufeff-r b.txt\na\n", "b.txt": "\ufeffb\n"}, None, "b\na", ""),
    ("a pyproject.toml", {P: "[project]\ndependencies = ['a>=1', 'b']\n"}, None, "a>=1\nb", ""),
    ("a flat pyproject.toml that is built", {P: f"[project]\ndependencies = ['a']\n{BUILD}"}, None, "a", ""),
    ("a pyproject.toml without needs", {P: "[project]\nname = 'x'\n"}, None, "", ""),
]  # fmt: skip
# as Pipenv 2026 writes it, with fewer hashes
PIPENV: dict[str, Any] = {
    "_meta": {"pipfile-spec": 6, "sources": [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": True}]},
    "default": {
        "asgiref": {"hashes": ["sha256:0", "sha256:1"], "markers": "python_version >= '3.11'", "version": "==3.13.0"},
        "requests": {"extras": ["socks"], "hashes": ["sha256:2"], "version": "==2.34.2"},
    },
    "develop": {"pytest": {"hashes": ["sha256:3"], "version": "==9.0.0"}},
}
PIP_LINES = (
    "asgiref==3.13.0 ; (python_version >= '3.11') --hash=sha256:0 --hash=sha256:1\n"
    "requests[socks]==2.34.2 --hash=sha256:2"
)
CLONE = {"git": "https://x/lib.git", "ref": "0" * 40}
INNER = {"url": "https://a.example/simple/", "verify_ssl": True, "name": "inner"}
LOCKED: list[tuple[str, dict[str, Any], str, str]] = [
    # (what, more of the lock, Pipfile, the lines)
    ("pinned", {}, "", PIP_LINES),
    ("a clone has no hash", {"lib": CLONE}, "", f"{PIP_LINES}\nlib @ git+https://x/lib.git@{'0' * 40}"),
    ("the project itself", {"me": {"editable": True, "path": "."}}, "", f"{PIP_LINES}\n."),
    ("for another system", {"pywin32": {"version": "*"}},
     "[packages]\npywin32 = {version = '*', sys_platform = \"== 'win32'\"}\n",
     PIP_LINES + "\npywin32 ; sys_platform == 'win32'"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "pipfile", "wanted"), [row[1:] for row in LOCKED], ids=[row[0] for row in LOCKED])
def test_what_pipenv_has_locked(tmp_path: Path, more: dict[str, Any], pipfile: str, wanted: str) -> None:
    lock = {**PIPENV, "default": {**PIPENV["default"], **more}}
    files = {"Pipfile.lock": json.dumps(lock), P: "[project]\ndependencies = ['unpinned']\n", "Pipfile": pipfile}
    assert collect(tmp_path, files)["requirements"] == wanted


def test_indexes_of_a_pipfile(tmp_path: Path) -> None:
    """PyPI is where uv looks by itself."""
    for number, (sources, first) in enumerate([([INNER], "--index-url"), (None, "--extra-index-url")]):
        known = sources or [*PIPENV["_meta"]["sources"], INNER]
        lock = {**PIPENV, "_meta": {"sources": known}}
        place = tmp_path / str(number)
        place.mkdir()
        text = collect(place, {"Pipfile.lock": json.dumps(lock)})["requirements"]
        assert text == f"{first} https://a.example/simple\n{PIP_LINES}"


OPEN = {**PIPENV, "default": {"a": {"version": "*"}}}
UNLOCKED: list[tuple[Files, Optional[list[str]], str]] = [
    ({"Pipfile": ""}, None, "Pipfile has no Pipfile.lock beside it: run 'pipenv lock' and commit that, or write a"
     " requirements.txt by 'pipenv requirements'"),
    ({"Pipfile": "", R: ""}, ["Pipfile"], "Pipfile has no Pipfile.lock beside it"),
    ({"Pipfile.lock": "{}"}, None, "Pipfile.lock can't be read ('default'): make it anew by 'pipenv lock'"),
    ({"Pipfile.lock": "x"}, None, "Pipfile.lock can't be read (Expecting value"),
    ({"Pipfile.lock": json.dumps(OPEN)}, None, "Pipfile.lock has no version of 'a': run 'pipenv lock' where"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "named", "said"), UNLOCKED)
def test_a_pipfile_that_can_not_be_used(tmp_path: Path, files: Files, named: Optional[list[str]], said: str) -> None:
    assert told(collect, tmp_path, files, named).startswith(said)


def test_a_pipfile_with_its_lock_may_be_named(tmp_path: Path) -> None:
    files = {"Pipfile": "", "Pipfile.lock": json.dumps(PIPENV)}
    assert collect(tmp_path, files, ["Pipfile"])["requirements"] == PIP_LINES


LOCAL: list[tuple[str, Files, str]] = [
    ("itself", {R: "a\n.\n"}, "a\n."),
    ("with an extra", {R: ".[dev]\n"}, ".[dev]"),
    ("with a marker", {R: "./lib ; python_version > '3'\n", "lib/x": ""}, "./lib ; python_version > '3'"),
    ("editable", {R: "-e .\n"}, "."),
    ("editable in long", {R: "--editable=./lib[x]\n", "lib/x": ""}, "./lib[x]"),
    ("a URL", {R: "file:lib\n", "lib/x": ""}, "./lib"),
    ("a named URL", {R: "lib[x] @ file:lib\n", "lib/x": ""}, "./lib[x]"),
    ("from the file", {R: "-r r/a.txt\n", "r/a.txt": "./lib\n", "r/lib/x": ""}, "./r/lib"),
    ("from the top, as pip does", {R: "-r r/a.txt\n", "r/a.txt": "-e ./lib\n", "lib/x": ""}, "./lib"),
    ("a wheel", {R: "./w/a-1-py3-none-any.whl\n", "w/a-1-py3-none-any.whl": ""}, "./w/a-1-py3-none-any.whl"),
    (
        "a wheel by its path",
        {R: "w/a-1-py3-none-any.whl[x]; os_name == 'posix'\n", "w/a-1-py3-none-any.whl": ""},
        "./w/a-1-py3-none-any.whl[x]; os_name == 'posix'",
    ),
    ("an archive by its name", {R: "a-1.tar.gz\n", "a-1.tar.gz": ""}, "./a-1.tar.gz"),
    ("a directory by its path", {R: "libs/a\n", "libs/a/x": ""}, "./libs/a"),
    ("a wheelhouse", {R: "--find-links=w\na\n", "w/x": ""}, "--find-links ./w\na"),
    ("a src layout", {P: f"[project]\ndependencies = ['a']\n{BUILD}", "src/x/y": ""}, "a\n."),
    ("commands", {P: f"[project]\ndependencies = []\n[project.scripts]\nx = 'x:y'\n{BUILD}"}, "."),
]
REFUSED: list[tuple[Files, Optional[list[str]], str]] = [
    ({}, None, "the project says nowhere which packages it needs; add a requirements.txt,"
     " or name its files in 'requirements'"),
    ({}, [R], f"the requirements file '{R}' is not in the project"),
    ({R: "-r base.txt\n"}, None, "the requirements file 'base.txt' is not in the project"),
    ({R: "-r ../../base.txt\n"}, None, "the requirements file '../../base.txt' is outside the project"),
    ({R: "-c /etc/shadow\n"}, None, "the requirements file '/etc/shadow' is outside the project"),
    ({P: "[tool.poetry]\n"}, None, f"{P} has no [project] table, and no poetry.lock beside it: run 'poetry lock'"
     " and commit that, or export its packages into a requirements.txt"),
    ({P: "x = ["}, None, f"{P} is no TOML (Invalid value (at end of document))"),
    *[({R: f"a\n{line}\n"}, None, f"{R}: '{place}' is not in the source")
      for line, place in (("./lib", "./lib"), ("../lib", "../lib"), ("/srv/lib", "/srv/lib"),
                          ("-e ./lib", "./lib"), ("file:///srv/lib", "file:///srv/lib"),
                          ("lib @ file:///srv/lib", "file:///srv/lib"), ("-f wheels", "wheels"),
                          ("w/a-1-py3-none-any.whl", "w/a-1-py3-none-any.whl"))],
    *[({R: f"a\n{line}\n"}, None, f"{R}: a line holds credentials in its URL, which others could read: remove them,"
       " and write them into 'index' of the Act (username, password)")
      for line in ("-i https://me:s3cret@x/simple", "a @ https://token@x/a.whl", "a @ git+ssh://me:s3cret@x/a")],
    ({P: "[project]\ndependencies = ['a @ file:lib']\n"}, None, f"{P}: 'file:lib' is not in the source"),
    ({f"site/{P}": "[project]\ndependencies = ['a @ file:lib']\n"}, [f"site/{P}"],
     f"site/{P}: 'file:lib' is not in the source"),
]  # fmt: skip


def project(tmp_path: Path, files: Files) -> str:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return str(tmp_path)


def collect(tmp_path: Path, files: Files, named: Optional[list[str]] = None, inside: str = "") -> dict[str, Any]:
    code = project(tmp_path, files)
    found: dict[str, Any] = requirements.collect(code, str(tmp_path / inside), named, "/nowhere/uv")
    return found


@pytest.mark.parametrize(
    ("files", "named", "wanted", "constraints"), [row[1:] for row in COLLECTED], ids=[row[0] for row in COLLECTED]
)
def test_collected(tmp_path: Path, files: Files, named: Optional[list[str]], wanted: str, constraints: str) -> None:
    found = collect(tmp_path, files, named)
    assert found == {
        "requirements": wanted,
        "constraints": constraints,
        "building": "",
        "locks": [],
        "projects": [],
        "local": False,
    }


@pytest.mark.parametrize("name", ["build-constraints.txt", "requirements/old-build-constraints.txt"])
def test_versions_of_what_builds(tmp_path: Path, name: str) -> None:
    """Named like that, as pip and uv call it, a file says what packages are built with, and installs nothing."""
    found = collect(
        tmp_path,
        {R: "a\n", name: "-r more.txt\nsetuptools<58 # 2to3\n", "more.txt": ""}
        | ({"requirements/more.txt": ""} if "/" in name else {}),
        [R, name],
    )
    assert (found["requirements"], found["building"]) == ("a", "setuptools<58")


@pytest.mark.parametrize(("files", "wanted"), [row[1:] for row in LOCAL], ids=[row[0] for row in LOCAL])
def test_places_of_the_source(tmp_path: Path, files: Files, wanted: str) -> None:
    found = collect(tmp_path, files)
    assert (found["requirements"], found["local"]) == (wanted, True)


@pytest.mark.parametrize(("files", "named", "said"), REFUSED)
def test_refused(tmp_path: Path, files: Files, named: Optional[list[str]], said: str) -> None:
    assert told(collect, tmp_path, files, named) == said


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_as_windows_writes_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / R).write_bytes("Django==5.2 # ä\r\na\r\n".encode(encoding))
    assert collect(tmp_path, {})["requirements"] == "Django==5.2\na"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / R).write_bytes("a # ä\n".encode("latin-1"))
    assert told(collect, tmp_path, {}) == f"{R} is not UTF-8 text: save it as UTF-8"


def test_a_lock_that_wants_another_uv(tmp_path: Path) -> None:
    """What developers want of their own uv is nothing to the host's, which reads the lock all the same."""
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\n[ "$UV_NO_CONFIG" = 1 ] || exit 2\necho a==1\n')
    uv.chmod(0o755)
    code = project(tmp_path, {"uv.lock": "", P: "[project]\n[tool.uv]\nrequired-version = '>=99'\n"})
    assert requirements.collect(code, code, None, str(uv))["requirements"] == "a==1"


WORKSPACE = {
    "house/uv.lock": "",
    f"house/{P}": "[project]\n[tool.uv.workspace]\nmembers = ['apps/*']\nexclude = ['apps/old']\n",
    f"house/apps/web/{P}": "[project]\n[tool.uv.sources]\ntunes = {workspace = true}\n",
    "house/libs/tunes/x": "",
}
EXPORT = """#!/bin/sh
[ "$(basename "$PWD")" = web ] || exit 2
printf '%s\\n' '-e ./libs/tunes' 'a==1'
"""


def test_a_member_of_a_workspace(tmp_path: Path) -> None:
    """The lock is at the root; uv tells what this member needs, with paths that start there."""
    (tmp_path / "uv").write_text(EXPORT)
    (tmp_path / "uv").chmod(0o755)
    code = project(tmp_path, WORKSPACE)
    for named, inside in ((None, "house/apps/web"), (["../../uv.lock"], "house/apps/web")):
        found = requirements.collect(code, f"{code}/{inside}", named, str(tmp_path / "uv"))
        assert (found["requirements"], found["local"]) == ("./house/libs/tunes\na==1", True)


def test_a_directory_beside_the_members_of_a_workspace(tmp_path: Path) -> None:
    """Nobody's lock: its own file says what it needs."""
    for inside in ("house/apps/old", "house/docs"):
        files = {**WORKSPACE, f"{inside}/{P}": "[project]\ndependencies = ['b']\n"}
        found = collect(tmp_path / inside.replace("/", "-"), files, inside=inside)
        assert found["requirements"] == "b"


@pytest.mark.parametrize("text", ["[tool.ruff]\nline-length = 99\n", "[build-system]\nrequires = []\n", ""])
def test_a_pyproject_that_names_no_packages(tmp_path: Path, text: str) -> None:
    """It is there for the tools; the packages are named elsewhere."""
    assert "says nowhere which packages" in told(collect, tmp_path, {P: text, "requirements/base.txt": "a\n"})


def test_files_above_the_project(tmp_path: Path) -> None:
    """A repository with several projects: all of it is shipped, so its common files can be read."""
    files = {"common.txt": "b\n", "site/requirements.txt": "-r ../common.txt\na\n-e ../lib\n", "lib/x": ""}
    found = collect(tmp_path, files, inside="site")
    assert (found["requirements"], found["local"]) == ("b\na\n./lib", True)


@pytest.mark.parametrize(
    "text",
    [
        "[project]\ndynamic = ['dependencies']\n",
        "[project]\ndependencies = ['a']\n[tool.uv.sources]\na = {git = 'https://x/a'}\n",
    ],
    ids=["computed", "from elsewhere"],
)
def test_what_uv_reads_where_it_is(tmp_path: Path, text: str) -> None:
    found = collect(tmp_path, {f"site/{P}": text}, inside="site")
    assert (found["projects"], found["requirements"], found["local"]) == ([f"./site/{P}"], "", True)


def test_a_lock_of_its_own_format_is_kept_as_it_is(tmp_path: Path) -> None:
    lock = "lock-version = '1.0'\n[[packages]]\nname = 'a'\nwheels = [{url = 'https://x/a.whl'}]\n"
    found = collect(tmp_path, {"pylock.toml": lock, R: "b\n"})
    assert (found["locks"], found["requirements"], found["local"]) == ([lock], "", False)
    found = collect(tmp_path, {"pylock.prod.toml": lock}, ["pylock.prod.toml", R])
    assert (found["locks"], found["requirements"]) == ([lock], "b")


@pytest.mark.parametrize("place", ["directory = {path = 'lib'}", "wheels = [{path = 'w/a.whl'}]"])
def test_a_lock_that_names_the_source(tmp_path: Path, place: str) -> None:
    lock = f"lock-version = '1.0'\n[[packages]]\nname = 'a'\n{place}\n"
    found = collect(tmp_path, {"pylock.toml": lock})
    assert (found["locks"], found["projects"], found["local"]) == ([], ["./pylock.toml"], True)
