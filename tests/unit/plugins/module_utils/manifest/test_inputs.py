# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids: what makes a release, what makes a Sess, and that a release's id tells all of one and nothing of the other."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields, replace
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs, spec, stage_kinds
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Hooks, Seed, Timer, Worker
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import (
    Act,
    File,
    Health,
    Index,
    Sess,
    Source,
    StaticUrl,
)
from ansible_collections.backstage.django.plugins.module_utils.stages.interface import Part

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ABI = "cpython-311-x86_64-linux-gnu"
KITTENS = Act("kittens", source=Source("git", "https://a/kittens.git", "v1"))

# every key of an Act with another value than its default
OTHER: dict[str, Any] = {
    "name": "dogs",
    "state": "absent",
    "source": Source("git", "https://a/kittens.git", "v1", subdir="site"),
    "refresh": "2026-07",
    "requirements": ["r.txt"],
    "settings": "kittens.settings",
    "application": "kittens.wsgi:application",
    "manage": "-m kittens",
    "chdir": "src",
    "files": [File("a", "b")],
    "env": {"A": "b"},
    "secrets": {"KEY": "purrpurr"},
    "index": Index("https://pypi.example.com/simple/"),
    "database": "postgresql",
    "writable": ["db.sqlite3"],
    "packages": ["sassc"],
    "build": ["npm ci"],
    "static": "none",
    "static_urls": [StaticUrl("/assets/", "dist")],
    "after_static": ["compress"],
    "migrate": False,
    "fixtures": ["a.json"],
    "seed": [Seed("s", "a")],
    "health": Health("/up/"),
    "timeout": 30,
    "keep_releases": 3,
    "workers": [Worker("celery", "celery worker")],
    "timers": [Timer("nightly", manage="clearsessions", at="03:00")],
    "hooks": Hooks(after_switch=["warm"]),
    "dump": True,
    "was": "dogs",
    "media": "external",
}
SAID = {  # by RULES 1, as far as this much is built
    inputs.RELEASE: {
        "source", "requirements", "refresh", "settings", "application", "chdir", "manage", "files", "env", "writable",
        "packages", "build", "static", "static_urls", "after_static", "index",
    },
    inputs.SESS: {"secrets", "timeout", "database", "workers"},
    inputs.NEITHER: {"name", "state", "health", "migrate", "fixtures", "seed", "keep_releases", "hooks", "timers"}
    | {"dump", "was", "media"},
}  # fmt: skip
SAID_OF_SESSES = {
    inputs.RELEASE: {"stage"},
    inputs.SESS: {"processes", "threads", "limits", "worker_class", "manager", "port", "idle"},
    inputs.NEITHER: {"act", "hosts", "state", "standby"},
}


def release(act: Act, content: str = COMMIT, abi: str = ABI) -> str:
    return inputs.release_id(inputs.release_inputs(act, content), abi)


@pytest.mark.parametrize(
    ("table", "said", "noun", "shape"),
    [(inputs.ACT_KEYS, SAID, Act, spec.act()), (inputs.SESS_KEYS, SAID_OF_SESSES, Sess, spec.sess())],
)
def test_every_key_is_in_the_table(
    table: dict[str, str], said: dict[str, set[str]], noun: Any, shape: spec.Spec
) -> None:
    assert set(table) == {field.name for field in fields(noun)} == set(shape)
    assert {makes: {key for key in table if table[key] == makes} for makes in said} == said


def test_what_makes_a_sess_is_compared() -> None:
    compared = {field.name for field in fields(Part)}
    made = {key for table in (inputs.ACT_KEYS, inputs.SESS_KEYS) for key in table if table[key] == inputs.SESS}
    by_variables = {"port", "database"}
    assert made - by_variables <= compared


def test_the_table_of_others_is_complete() -> None:
    assert set(OTHER) == set(inputs.ACT_KEYS)
    assert all(getattr(KITTENS, key) != value for key, value in OTHER.items())


@pytest.mark.parametrize("key", sorted(OTHER))
def test_a_release_is_its_inputs_and_nothing_else(key: str) -> None:
    changed = release(replace(KITTENS, **{key: OTHER[key]})) != release(KITTENS)
    assert changed is (inputs.ACT_KEYS[key] == inputs.RELEASE)


SAME: list[tuple[str, Source]] = [
    ("another name of the commit", Source("git", "https://a/kittens.git", COMMIT)),
    ("another place", Source("git", "ssh://b/other.git", "main")),
]
DIFFERENT: list[tuple[str, str]] = [
    ("content", release(KITTENS, COMMIT.replace("0", "1"))),
    ("abi", release(KITTENS, abi="cpython-313-x86_64-linux-gnu")),
    ("order of build commands", release(replace(KITTENS, build=["a", "b"]))),
    ("other order", release(replace(KITTENS, build=["b", "a"]))),
    ("one word or two", release(replace(KITTENS, build=["a b"]))),
    ("no requirements", release(replace(KITTENS, requirements=[]))),
    ("a variable", release(replace(KITTENS, env={"A": "1"}))),
    ("another variable", release(replace(KITTENS, env={"A": "2"}))),
    ("unexpanded", release(replace(KITTENS, env={"A": "{data}"}))),
    ("file", release(replace(KITTENS, files=[File("a", "b")]))),
    ("its content", release(replace(KITTENS, files=[File("a", "c")]))),
    ("its path", release(replace(KITTENS, files=[File("b", "b")]))),
]


@pytest.mark.parametrize(("_why", "source"), SAME)
def test_the_same_release(_why: str, source: Source) -> None:
    assert release(replace(KITTENS, source=source)) == release(KITTENS)


def test_different_releases() -> None:
    ids = [release(KITTENS), *[found for _why, found in DIFFERENT]]
    assert len(set(ids)) == len(ids)


def test_the_order_of_keys_does_not_matter() -> None:
    one, other = (replace(KITTENS, env=env) for env in ({"A": "1", "B": "2"}, {"B": "2", "A": "1"}))
    assert release(one) == release(other)


def test_the_path_is_an_input_of_a_release() -> None:
    """What is collected and compressed may hold it; the root's is what an Act without a Gig has."""
    known = {path: inputs.release_inputs(KITTENS, COMMIT, path) for path in ("/", "/blog", "/news")}
    ids = [inputs.release_id(found, ABI) for found in known.values()]
    assert len(set(ids)) == 3
    assert ids[0] == release(KITTENS)


def test_packages_of_a_stage_kind_are_an_input_of_a_release() -> None:
    """A release for uwsgi has the id that it always had, and a hold ends with another kind."""
    servers = [
        stage_kinds.server(*told) for told in (("uwsgi", ""), ("gunicorn", ""), ("gunicorn", "gevent"), ("asgi", ""))
    ]
    known = [inputs.release_inputs(KITTENS, COMMIT, server=server) for server in servers]
    ids = [inputs.release_id(found, ABI) for found in known]
    assert (len(set(ids)), ids[0]) == (4, release(KITTENS))
    assert len({inputs.hold_digest(found) for found in known}) == 4
    assert stage_kinds.server("gunicorn", "sync") == stage_kinds.server("gunicorn", "gthread")


def test_a_hold_stays_if_the_path_changes() -> None:
    known = {path: inputs.release_inputs(KITTENS, COMMIT, path) for path in ("/", "/blog")}
    assert inputs.hold_digest(known["/"]) == inputs.hold_digest(known["/blog"]) == inputs.digest(known["/"])
    other = inputs.release_inputs(replace(KITTENS, env={"A": "b"}), COMMIT, "/blog")
    assert inputs.hold_digest(other) != inputs.hold_digest(known["/blog"])


def test_ids_do_not_change_between_versions() -> None:
    """Another value here means that every release of every Production is built again: only with another FORMAT."""
    assert (inputs.FORMAT, release(KITTENS)) == (1, "1925ad0a548a")


def test_no_secret_makes_a_release() -> None:
    seed = Seed("s", "a", secrets={"PW": "purrpurr"})
    told = str(inputs.release_inputs(replace(KITTENS, secrets={"KEY": "purrpurr"}, seed=[seed]), COMMIT))
    assert "purrpurr" not in told


def test_the_format_is_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    before = release(KITTENS)
    monkeypatch.setattr(inputs, "FORMAT", inputs.FORMAT + 1)
    assert release(KITTENS) != before


@pytest.mark.parametrize("executable", ["/usr/bin/python3", "/bin/sh"])
def test_abi_is_that_of_the_distributions_python(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    """Whatever Python runs the module: its own answer where it is the same, else the other one is asked."""
    program = "import sysconfig; print(sysconfig.get_config_var('SOABI'))"
    asked = subprocess.run(["/usr/bin/python3", "-c", program], check=True, capture_output=True, text=True)
    monkeypatch.setattr(inputs.sys, "executable", executable)
    inputs.abi.cache_clear()
    try:
        assert inputs.abi() == asked.stdout.strip()
    finally:
        inputs.abi.cache_clear()
    assert re.fullmatch(r"cpython-3\d+-\w+-linux-gnu", asked.stdout.strip())
