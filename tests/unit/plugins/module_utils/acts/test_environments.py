# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments: what makes one, who makes it, and what is never used; uv itself is a program that says what it said."""

from __future__ import annotations

import json
import netrc
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import environments
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.environments import Wanted
from ansible_collections.backstage.django.plugins.module_utils.host import files, names, users
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Index

from ...conftest import Crew
from ...house import House
from ...told import told

DJANGO = Wanted("Django==5.2.15", "", "")

OTHERS: list[tuple[str, Wanted]] = [
    ("requirements", replace(DJANGO, requirements="Django==5.2.14")),
    ("an index", replace(DJANGO, requirements="-i https://x/simple\nDjango==5.2.15")),
    ("constraints", replace(DJANGO, constraints="asgiref<4")),
    ("refresh", replace(DJANGO, refresh="2026-07")),
    ("one Act's own", replace(DJANGO, act="kittens")),
    ("another Act's own", replace(DJANGO, act="dogs")),
    ("a lock", replace(DJANGO, locks=("lock-version = '1.0'",))),
    ("a file that uv reads itself", replace(DJANGO, projects=("./pyproject.toml",))),
    ("another place", replace(DJANGO, index=Index(url="https://x/simple"))),
    ("another place first", replace(DJANGO, index=Index(extra_urls=["https://x/simple"]))),
    ("wheels", replace(DJANGO, index=Index(find_links=["/srv/wheels"]))),
    ("code of the source", replace(DJANGO, source="0123")),
    ("the server of a Stage kind", replace(DJANGO, server=("gunicorn>=22",))),
    ("another one", replace(DJANGO, server=("gunicorn>=22", "uvicorn-worker"))),
    ("texts that run together", Wanted("Django==5.2.15asgiref<4", "", "")),
]


def test_every_input_makes_another_environment() -> None:
    keys = [DJANGO.key, *[other.key for _what, other in OTHERS]]
    assert len(set(keys)) == len(keys)
    assert Wanted("Django==5.2.15", "", "").key == DJANGO.key
    assert len(DJANGO.key) == 16


def test_a_password_makes_no_other_environment() -> None:
    private = Index(url="https://x/simple", username="ada", password="s3cret-token")
    others = [private, replace(private, username="eve", password="another-token")]
    assert len({replace(DJANGO, index=index).key for index in others}) == 1


@pytest.mark.parametrize(("name", "value"), [("abi", lambda: "cpython-313"), ("FORMAT", 99)])
def test_the_python_and_the_format_are_inputs(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    before = DJANGO.key
    monkeypatch.setattr(inputs, name, value)
    assert DJANGO.key != before


PINNED = [
    ("", True),
    ("Django==5.2.15", True),
    ("Django == 5.2.15", True),
    ("Django===5.2.15", True),
    ("a[b,c]==1.0; python_version < '3.12'", True),
    ("a==1 --hash=sha256:0", True),
    ("-i https://x/simple\na==1", True),
    ("--pre\na==1", True),
    ("a @ https://x/a-1.0-py3-none-any.whl", True),
    ("Django", False),
    ("Django>=5.2", False),
    ("Django~=5.2.15", False),
    ("Django!=5.2.15", False),
    ("Django<=5.2", False),
    ("Django==5.2.*", False),
    ("a==1\nb", False),
    ("tzdata; sys_platform == 'win32'", False),
    ("a @ git+https://x/a@main", False),
    ("a @ git+https://x/a", False),
    (".", True),
    ("./lib[x]", True),
]


@pytest.mark.parametrize(("requirements", "pinned"), PINNED)
def test_pinned(requirements: str, pinned: bool) -> None:
    assert Wanted(requirements, "", "").pinned is pinned


def test_a_lock_is_pinned_and_a_project_is_not() -> None:
    assert Wanted("", locks=("lock-version = '1.0'",)).pinned
    assert not Wanted("", projects=("./pyproject.toml",)).pinned


UV = """#!/bin/sh
echo "$(id -un) $*" >> {root}/asked
case "$1" in
  venv)
    for target; do :; done
    mkdir -p $target/bin && echo > $target/bin/python && chmod 700 $target/bin/python ;;
  pip) case "$*" in
    *--no-build*) {shared} ;;
    *) {own} ;;
  esac
  site=${{5%/bin/python}}/lib/python3/site-packages
  [ ! -e {root}/package ] || {{ mkdir -p $site && cp -r {root}/package/. $site; }}
  env > {root}/environment
  find . -type f > {root}/inputs
  [ -z "$NETRC" ] || cat "$NETRC" > {root}/netrc ;;
esac
"""
SDIST = """  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because docopt==0.6.2 has no usable wheels and you require
      docopt==0.6.2, we can conclude that your requirements are unsatisfiable.

      hint: Wheels are required for `docopt` because building from source is
      disabled for all packages (i.e., with `--no-build`)"""
GIT = """error: Failed to prepare distributions
  Caused by: Building source distributions is disabled, but attempted to build `purr`"""
URL = """  \u00d7 Failed to download and build `docopt @
  \u2502 https://files.pythonhosted.org/packages/docopt-0.6.2.tar.gz`
  \u2570\u2500\u25b6 Building source distributions for `docopt` is disabled"""
UNKNOWN = """  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because djangoo was not found in the package registry and you require
      djangoo, we can conclude that your requirements are unsatisfiable."""


class Uv:
    """A uv that installs nothing and fails as it is told, for shared environments and for an Act's own."""

    def __init__(self, house: House) -> None:
        self.path = house.root / "uv"
        self.root = house.root / "said"
        self.root.mkdir()
        self.root.chmod(0o777)
        for name in ("asked", "environment", "inputs", "netrc"):
            (self.root / name).touch()
            (self.root / name).chmod(0o666)
        self.fails()

    def fails(self, shared: str = "", own: str = "") -> None:
        texts = {"shared": shared, "own": own}
        for name, text in texts.items():
            (self.root / name).write_text(text)
            (self.root / name).chmod(0o644)
        ends = {name: f"cat {self.root}/{name} >&2; exit 2" if text else ":" for name, text in texts.items()}
        self.path.write_text(UV.format(root=self.root, **ends))
        self.path.chmod(0o755)

    @property
    def asked(self) -> list[str]:
        return [line.split(" ")[0] for line in (self.root / "asked").read_text().splitlines()]


@pytest.fixture
def uv(crewed: House) -> Iterator[Uv]:
    acts.prepare(crewed.act())
    files.directory(crewed.act().workshop, 0o750, *ids(names.builder(crewed.production, "kittens")))
    yield Uv(crewed)
    users.remove(names.environment_builder(crewed.production))


def ids(name: str) -> tuple[int, int]:
    user = users.find(name)
    assert user
    return user.uid, user.gid


def made(house: House, uv: Uv, wanted: Wanted = DJANGO) -> Path:
    code = house.root / "code"
    if not code.exists():
        code.mkdir()
        (code / "setup.py").write_text("")
    key = environments.make(house.act(), wanted, str(uv.path), str(code))
    return Path(house.paths.environment(key))


def about(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


def test_a_shared_one(crewed: House, uv: Uv) -> None:
    path = made(crewed, uv)
    builder = names.environment_builder(crewed.production)
    assert (path.name, uv.asked) == (DJANGO.key, [builder, builder])
    assert (about(path), about(path / "bin" / "python")) == ((0o755, 0, 0), (0o755, 0, 0))
    record = json.loads((path / environments.SEAL).read_text())
    assert record == {"format": 1, "key": DJANGO.key, "abi": inputs.abi(), "act": ""}
    assert made(crewed, uv) == path
    assert len(uv.asked) == 2, "made once"
    said = dict(line.split("=", 1) for line in (uv.root / "environment").read_text().splitlines())
    assert {"UV_NO_CONFIG": "1", "UV_LINK_MODE": "copy", "UV_PYTHON_DOWNLOADS": "never"}.items() <= said.items()
    assert about(Path(crewed.paths.cache))[0] == 0o700


@pytest.mark.parametrize("text", [SDIST, GIT, URL])
def test_what_must_be_built_is_built_by_the_acts_own_builder(crewed: House, crew: Crew, uv: Uv, text: str) -> None:
    uv.fails(shared=text)
    path = made(crewed, uv)
    own = replace(DJANGO, act="kittens")
    assert (path.name, uv.asked[-1]) == (own.key, crew.builder.name)
    assert about(path) == (0o750, 0, crew.builder.gid), "nobody else's code is run by others"
    assert os.listdir(crewed.paths.environments) == [own.key]
    asked = len(uv.asked)
    assert made(crewed, uv) == path
    assert len(uv.asked) == asked


@pytest.mark.parametrize("line", ["--no-binary lxml", "--no-binary=:all:"])
def test_a_line_that_asks_for_a_build_is_no_reason_to_run_it_for_others(
    crewed: House, crew: Crew, uv: Uv, line: str
) -> None:
    """uv heeds it although --no-build is said, too."""
    made(crewed, uv, Wanted(f"lxml==6.0.2\n{line}"))
    assert {*uv.asked} == {crew.builder.name}


def test_what_is_built_sees_the_variables_of_the_act(crewed: House, uv: Uv) -> None:
    """In an environment of its own alone; there they make another one, and ours count more."""
    env = {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.2.3", "UV_NO_CONFIG": "0"}
    shared = made(crewed, uv, replace(DJANGO, env=env))
    assert shared.name == DJANGO.key
    assert "PRETEND" not in (uv.root / "environment").read_text()
    uv.fails(shared=SDIST)
    files.remove_tree(str(shared))
    own = made(crewed, uv, replace(DJANGO, env=env))
    said = (uv.root / "environment").read_text().splitlines()
    assert {"SETUPTOOLS_SCM_PRETEND_VERSION=1.2.3", "UV_NO_CONFIG=1"} <= {*said}
    assert own.name not in (DJANGO.key, replace(DJANGO, act="kittens").key)
    assert made(crewed, uv, replace(DJANGO, env=env)) == own


def test_versions_of_what_builds(crewed: House, uv: Uv) -> None:
    """For an environment of the Act's own: where nothing is built they change nothing."""
    wanted = replace(DJANGO, building="setuptools<58")
    assert made(crewed, uv, wanted).name == DJANGO.key
    assert "build-constraints" not in (uv.root / "asked").read_text()
    files.remove_tree(str(made(crewed, uv, wanted)))
    uv.fails(shared=SDIST)
    own = made(crewed, uv, wanted)
    assert "--build-constraints .building.txt" in (uv.root / "asked").read_text()
    assert own.name not in (DJANGO.key, replace(DJANGO, act="kittens").key)


FAILS = [
    (UNKNOWN, "", "the package 'djangoo' is not in the index: correct the requirements"),
    ("error: something else", "", "the packages could not be installed"),
    (SDIST, "error: something else", "the packages could not be installed"),
]


@pytest.mark.parametrize(("shared", "own", "said"), FAILS)
def test_fault_9_a_failure_leaves_nothing(crewed: House, uv: Uv, shared: str, own: str, said: str) -> None:
    uv.fails(shared, own)
    with pytest.raises(environments.BackstageError) as failure:
        made(crewed, uv)
    assert (failure.value.message, failure.value.step) == (said, "environment")
    assert (own or shared).strip().splitlines()[-1].strip() in failure.value.log
    assert os.listdir(crewed.paths.environments) == []
    uv.fails()
    assert made(crewed, uv).name == DJANGO.key


ARGUMENTS = [
    (Index(url="https://x/simple"), ["--default-index=https://x/simple"]),
    (Index(extra_urls=["https://x/simple", "https://y"]), ["--index=https://x/simple", "--index=https://y"]),
    (Index(find_links=["/srv/w"]), ["--find-links=/srv/w", "--no-index"]),
    (
        Index(url="https://x/simple", find_links=["./w"]),
        ["--default-index=https://x/simple", "--find-links=./w"],
    ),
]


@pytest.mark.parametrize(("index", "arguments"), ARGUMENTS)
def test_where_packages_come_from(crewed: House, uv: Uv, index: Index, arguments: list[str]) -> None:
    made(crewed, uv, replace(DJANGO, index=index))
    install = (uv.root / "asked").read_text().splitlines()[1].split(" ")
    assert [word for word in install if "=" in word or word == "--no-index"] == arguments


def test_every_text_is_an_argument(crewed: House, uv: Uv) -> None:
    made(crewed, uv, Wanted("a", "b", locks=("c", "d"), projects=("./p/pyproject.toml",)))
    _venv, *commands, others = (uv.root / "asked").read_text().splitlines()
    for words in (
        "--requirements .requirements.txt",
        "--constraints .constraints.txt",
        "--requirements ./p/pyproject.toml",
    ):
        assert words in others
    locked = [words.partition("--requirements ")[2] for words in commands if " install " in words]
    assert locked == ["pylock.backstage0.toml", "pylock.backstage1.toml"]


def test_code_of_the_source_is_a_copy_that_is_gone_afterwards(crewed: House, crew: Crew, uv: Uv) -> None:
    wanted = replace(DJANGO, requirements=".", source="0123")
    path = made(crewed, uv, wanted)
    assert (path.name, set(uv.asked)) == (replace(wanted, act="kittens").key, {crew.builder.name})
    assert sorted((uv.root / "inputs").read_text().split()) == ["./.requirements.txt", "./setup.py"]
    assert os.listdir(crewed.act().workshop) == []
    assert "--no-build" not in (uv.root / "asked").read_text()


def test_code_of_the_source_is_built_anew(crewed: House, crew: Crew, uv: Uv) -> None:
    """uv would know a directory by its place, and take what it built of another state of it."""
    cache = Path(crewed.act().workshop, "uv")
    for wanted, is_kept in ((replace(DJANGO, act="kittens", index=Index(password="x")), True),
                            (replace(DJANGO, source="0123"), False)):  # fmt: skip
        cache.mkdir(exist_ok=True)
        (cache / "wheel").touch()
        for path in (cache, cache / "wheel"):
            os.chown(path, crew.builder.uid, crew.builder.gid)
        made(crewed, uv, wanted)
        assert (cache / "wheel").exists() == is_kept


def test_a_password_is_in_a_file_that_its_builder_alone_can_read(crewed: House, crew: Crew, uv: Uv) -> None:
    index = Index("https://pypi.example.com:8443/simple", ["https://b.example.com/"], [], "ada", "s3cret-token")
    path = made(crewed, uv, replace(DJANGO, index=index))
    assert path.name == replace(DJANGO, index=index, act="kittens").key
    assert set(uv.asked) == {crew.builder.name}
    assert (uv.root / "netrc").read_text().splitlines() == [
        'machine pypi.example.com login "ada" password "s3cret-token"',
        'machine b.example.com login "ada" password "s3cret-token"',
    ]
    for told_ in ("asked", "environment"):
        assert "s3cret-token" not in (uv.root / told_).read_text()
    assert os.listdir(crewed.act().workshop) == []
    assert "s3cret-token" not in (path / environments.SEAL).read_text()


@pytest.mark.parametrize("password", ["a pass phrase", '"quoted', "back\\slash", "pässwörd#1", "a\\"])
def test_any_password_is_read_back_as_it_is(tmp_path: Path, password: str) -> None:
    (tmp_path / "netrc").write_text(environments._netrc(Index("https://x/", username="a da", password=password)))
    assert netrc.netrc(tmp_path / "netrc").authenticators("x") == ("a da", "", password)


def test_fault_10_an_unsealed_one_is_never_used(crewed: House, uv: Uv) -> None:
    path = Path(crewed.paths.environment(DJANGO.key))
    path.mkdir()
    (path / "half").write_text("")
    assert environments.is_sealed(crewed.paths, DJANGO.key) is False
    made(crewed, uv)
    assert (environments.is_sealed(crewed.paths, DJANGO.key), (path / "half").exists()) == (True, False)


@pytest.mark.parametrize("shared", ["", SDIST], ids=["shared", "an Act's own"])
def test_no_line_of_a_package_runs_while_its_bytecode_is_compiled(crewed: House, uv: Uv, shared: str) -> None:
    """A .pth line would run as the owner of the cache from which others' environments are made."""
    uv.fails(shared=shared)
    ran = uv.root / "ran"
    package = uv.root / "package"
    package.mkdir()
    for name in ("evil.pth", "sitecustomize.py", "usercustomize.py"):
        (package / name).write_text(f"import os; open({str(ran)!r}, 'w').close()\n")
    (package / "half.py").write_text("this is no Python\n")
    package.chmod(0o755)
    path = made(crewed, uv)
    assert "--compile-bytecode" not in (uv.root / "asked").read_text(), "uv compiles with the site module"
    assert not ran.exists()
    (compiled,) = path.glob("lib/python3/site-packages/__pycache__/sitecustomize.*.pyc")
    source = path / "lib" / "python3" / "site-packages" / "sitecustomize.py"
    assert int.from_bytes(compiled.read_bytes()[8:12], "little") == int(source.stat().st_mtime)


def test_without_requirements(crewed: House, uv: Uv) -> None:
    made(crewed, uv, Wanted("", "", ""))
    assert len(uv.asked) == 1


def test_without_uv(crewed: House) -> None:
    said = told(environments.make, crewed.act(), DJANGO, "/nowhere/uv", "")
    assert said == "/nowhere/uv is missing; run backstage.django.site first"


def test_sweep(house: House) -> None:
    """Mark and sweep: what is not named is gone, whatever made it."""
    for key in ("used", "shared", "unused", "half"):
        os.makedirs(house.paths.environment(key))
    environments.sweep(house.paths, {"used", "shared"})
    assert files.names_in(house.paths.environments) == ["shared", "used"]
