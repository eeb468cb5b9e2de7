# SPDX-License-Identifier: GPL-3.0-or-later
"""A new Act from the skeleton: its names, what is kept, and a repository that its tests and the manifest accept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.host.errors import Refusal
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest
from ansible_collections.backstage.django.plugins.plugin_utils import skeletons

PROJECT = Path(__file__).parents[4]
FILES = PROJECT / "playbooks/files/new"
SCRIPTS = Path(sysconfig.get_path("scripts"))
LONG = "a-name-with-all-thirty-two-lette"


def make(place: Path, act: str = "kittens", check: bool = False) -> dict[str, Any]:
    return skeletons.write(str(FILES), skeletons.Wanted.of(act, str(place), "/"), check)


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def told(name: str) -> str:
    with pytest.raises(Refusal) as refusal:
        skeletons.Wanted.of(name, None, "/")
    return str(refusal.value)


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("", "use a letter, then"),
        ("Kittens", "use a letter, then"),
        ("kit_tens", "use a letter, then"),
        ("2cats", "use a letter, then"),
        ("kittens-", "end it with a letter or a digit"),
        ("class", "Python has this word for itself; choose another name, such as class-site"),
        ("calendar", "which the project would hide; choose another name, such as calendar-site"),
        ("site", "which the project would hide"),
        ("test", "which the project would hide"),
        ("django", "the project imports a module of this name"),
        ("dj-database-url", "the project imports a module of this name"),
        ("messages", "one of Django's own apps has this name"),
    ],
)
def test_names_that_are_refused(name: str, cure: str) -> None:
    said = told(name)
    assert said.startswith(f"act: {name!r}: ")
    assert cure in said


@pytest.mark.parametrize(
    ("name", "app", "production"),
    [
        ("kittens", "kittens", "kittens"),
        ("blog-2", "blog_2", "blog2"),
        (LONG, LONG.replace("-", "_"), "anamewithallthi"),
        ("www", "www", "wwws"),
    ],
)
def test_names_that_follow(name: str, app: str, production: str) -> None:
    wanted = skeletons.Wanted.of(name, None, "/home/ada")
    assert (wanted.app, wanted.words["__production__"]) == (app, production[:15])
    assert wanted.root == f"/home/ada/{name}"


@pytest.mark.parametrize(
    ("path", "root"), [(None, "/work/kittens"), (".", "/work"), ("../live", "/live"), ("~/live", "{home}/live")]
)
def test_where_it_is_made(path: str | None, root: str) -> None:
    found = skeletons.Wanted.of("kittens", path, "/work").root
    assert found == root.replace("{home}", os.environ["HOME"])


@pytest.mark.parametrize("name", ["kittens", "blog-2", LONG])
def test_no_word_of_the_skeleton_is_left(tmp_path: Path, name: str) -> None:
    make(tmp_path, name)
    texts = [(path, text.decode()) for path, text in contents(tmp_path).items()]
    words = {word for path, text in texts for word in re.findall(r"__[a-z]+__", path + text)}
    assert words <= {"__init__", "__file__", "__main__", "__name__", "__str__", "__pycache__"}


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "live"
    planned = make(place, check=True)
    assert not place.exists()
    assert planned["changed"]
    assert "would be made" in planned["stdout"]
    made = make(place)
    assert (made["made"], made["kept"]) == (planned["made"], [])
    assert {diff["after_header"]: diff["after"].encode() for diff in planned["diff"]} == {
        str(place / path): text for path, text in contents(place).items()
    }


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    """Whatever it is; the second run changes nothing."""
    own = {"site.yml": b"mine\n", "acts/kittens/kittens/views.py": b"# mine\n"}
    for name, text in own.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    (tmp_path / "README.md").symlink_to("nowhere")
    first = make(tmp_path)
    assert first["kept"] == ["README.md", *sorted(own)]
    assert "kept as they are, because they exist: README.md, " in first["stdout"]
    before = contents(tmp_path)
    assert {name: before[name] for name in own} == own
    second = make(tmp_path)
    assert (second["changed"], second["made"], second["diff"]) == (False, [], [])
    assert contents(tmp_path) == before
    assert os.readlink(tmp_path / "README.md") == "nowhere"
    assert "add these lines" not in second["stdout"]


def test_a_second_act_in_the_same_repository(tmp_path: Path) -> None:
    """It says which lines the manifest lacks, and they are right."""
    make(tmp_path)
    manifest_before = (tmp_path / skeletons.MANIFEST).read_text()
    (tmp_path / skeletons.SECRETS).write_text("$ANSIBLE_VAULT;1.1;AES256\n3132\n")
    result = make(tmp_path, "big-cats")
    assert all(path.startswith("acts/big-cats/") for path in result["made"])
    assert (tmp_path / skeletons.MANIFEST).read_text() == manifest_before
    for path, key in [(skeletons.MANIFEST, "backstage_acts"), (skeletons.SECRETS, "vault_big_cats_secret_key")]:
        lines = result["stdout"].partition(f"add these lines to {path}, unless they are there:\n\n")[2]
        assert key in yaml.safe_load(lines.partition("\n\nadd ")[0].partition("\n\nplay ")[0]), path


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "acts").write_text("")
    with pytest.raises(OSError, match="acts"):
        make(tmp_path)


@pytest.mark.parametrize("name", ["kittens", "a", "blog-2", LONG])
def test_the_manifest_is_accepted(tmp_path: Path, name: str) -> None:
    make(tmp_path, name)
    secrets = yaml.safe_load((tmp_path / skeletons.SECRETS).read_text())
    text = (tmp_path / skeletons.MANIFEST).read_text()
    for variable in re.findall(r"\{\{ (\w+) \}\}", text):
        assert "ansible.builtin.password" in secrets[variable]
        text = text.replace("{{ " + variable + " }}", f"value of {variable}")
    given = {key.removeprefix("backstage_"): value for key, value in yaml.safe_load(text).items()}
    found = manifest.parse(given)
    act = found.acts[name]
    assert act.source is not None
    assert (tmp_path / "inventory" / act.source.location / "manage.py").is_file()
    assert [(gig.act, gig.venue) for gig in found.gigs] == [(name, f"{name}.localhost")]


def test_it_has_the_conventions_of_the_example(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("ansible.cfg", "site.yml", "requirements.yml", ".gitignore"):
        assert (tmp_path / name).read_text() == (PROJECT / "example" / name).read_text(), name
    hosts, example = (
        yaml.safe_load((root / "inventory/hosts.yml").read_text()) for root in (tmp_path, PROJECT / "example")
    )
    assert hosts == example
    pins = {root: (root / "requirements.txt").read_text().splitlines() for root in (tmp_path / "acts/kittens",)}
    assert set((PROJECT / "example/acts/jamsession/requirements.txt").read_text().splitlines()) <= set(*pins.values())


@pytest.mark.parametrize("name", ["kittens", "a", "zebra-2", LONG])
def test_it_is_linted(tmp_path: Path, name: str) -> None:
    """In its own repository, without the settings of this one."""
    make(tmp_path, name)
    for argv in (
        [SCRIPTS / "ruff", "check", "--isolated", "--select", "E,F,I,UP,B", "--line-length", "120", "."],
        [SCRIPTS / "ruff", "format", "--isolated", "--line-length", "120", "--check", "."],
        [SCRIPTS / "yamllint", "--strict", "-c", PROJECT / ".yamllint", "."],
    ):
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, outside: Callable[[], None]) -> Path:
    """A virtual environment with the project's requirements."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run(["/usr/bin/python3", "-m", "venv", place / "env"], check=True)
    pip = [place / "env/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    requirements = FILES / "acts/__act__/requirements.txt"
    subprocess.run([*pip, "-r", requirements], preexec_fn=outside, check=True)
    return place / "env/bin/python"


@pytest.mark.parametrize("name", ["kittens", "blog-2"])
def test_the_project_tests_itself(tmp_path: Path, python: Path, name: str) -> None:
    make(tmp_path, name)
    project = tmp_path / "acts" / name
    for command in (["test"], ["check", "--deploy"]):
        done = subprocess.run(
            [python, "-W", "error", "manage.py", *command],
            cwd=project,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert command == ["check", "--deploy"] or re.search(r"Ran [5-9] tests", done.stderr), done.stderr


def play(place: Path, *options: str) -> tuple[int, str]:
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", PROJECT / "playbooks/new.yml", *options]
    done = subprocess.run(argv, cwd=place, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_playbook(tmp_path: Path) -> None:
    code, said = play(tmp_path)
    assert (code, "Name the Act: -e act=kittens" in said) == (2, True), said
    code, said = play(tmp_path, "-e", "act=class")
    assert (code, "Python has this word for itself" in said) == (2, True), said
    code, said = play(tmp_path, "-e", "act=kittens", "--check", "--diff")
    assert (code, f"+++ after: {tmp_path}/kittens/site.yml" in said) == (0, True), said
    assert not (tmp_path / "kittens").exists()
    code, said = play(tmp_path, "-e", "act=kittens")
    assert (code, "changed=1" in said, (tmp_path / "kittens/acts/kittens/manage.py").is_file()) == (0, True, True), said
    assert f"\nplay it on this machine: cd {tmp_path}/kittens && ansible-playbook site.yml\n" in said, said
    code, said = play(tmp_path, "-e", "act=kittens")
    assert (code, "changed=0" in said) == (0, True), said
