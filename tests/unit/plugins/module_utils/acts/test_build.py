# SPDX-License-Identifier: GPL-3.0-or-later
"""Building a release: a real project, packed, unpacked, checked by a real Django and sealed, by a real builder."""

from __future__ import annotations

import os
import stat
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import environments
from ansible_collections.backstage.django.plugins.module_utils.manifest import stage_kinds
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import File, Source

from ...conftest import Crew
from ...house import NONE, A, House
from ...projects import settings
from .jobs import KEY, KITTENS, built, failure, job


def test_a_release(workplace: House, crew: Crew) -> None:
    record = built(workplace, job(workplace))
    assert len(record.pop("migrations")) == 64
    assert "cats.0001_initial" in record.pop("graph")
    record.pop("built"), record.pop("by"), record.pop("act"), record.pop("abi")
    assert record == {
        "format": 1,
        "release": A,
        "inputs": {"act": 1},
        "source": "v1",
        "environment": KEY,
        "pinned": True,
        "manage": "manage.py",
        "project": ".",
        "settings": "kittens.settings",
        "application": "kittens.wsgi:application",
        "writable": [],
        "apps": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.staticfiles", "cats"],
        "databases": {
            "default": {
                "engine": "django.db.backends.sqlite3",
                "name": workplace.act().workshop + "/db.sqlite3",
                "vendor": "sqlite",
            }
        },
        "migrated": ["default"],
        "warnings": [
            "SECRET_KEY stands in kittens/settings.py, for everybody who can read the source: give it in 'secrets', and"
            " have the settings read it from os.environ"
        ],
        "debug": False,
        "static": {"url": "/static/", "root": "own", "relative": True},
        "media": {"url": "", "root": ""},
        "static_urls": [],
        "links": {},
    }
    release = workplace.act().release(A)
    assert Path(release.static, "cats", "cat.css").read_text() == "cat {}\n"
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in Path(release.code).rglob("*")}
    assert owners == {(0, crew.player.gid)}
    assert not [path for path in Path(release.code).rglob("*") if path.lstat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]
    assert not os.path.exists(workplace.act().workshop)


WORLD = settings(
    """
print(repr(os.environ["KITTENS_KEY"]))
for name in ("HOME", "BACKSTAGE_DATA", "BACKSTAGE_MEDIA_ROOT"):
    assert os.environ[name].startswith(os.environ["HOME"]), name
assert os.environ["BACKSTAGE_HOSTS"] == "a.example"
assert os.environ["THEME"] == "{data}".replace("{data}", os.environ["BACKSTAGE_DATA"])
assert os.getuid() == os.stat(os.environ["HOME"]).st_uid != 0
open(os.environ["HOME"] + "/written", "w").close()
"""
)


def test_the_builders_world(workplace: House) -> None:
    """A throw-away home; the secrets only where the Act's own code is checked, and not where a command runs."""
    tell = "import os; open('told', 'w').write(str(os.environ))"
    act = replace(KITTENS, env={"THEME": "{data}"}, build=["python tell.py"])
    built(workplace, job(workplace, act, kittens___settings__py=WORLD, tell__py=tell))
    told = Path(workplace.act().release(A).code, "told").read_text()
    assert "purr-purr" not in told
    assert "BACKSTAGE_STATIC_ROOT" in told
    assert f"/environments/{KEY}/bin:" in told


def test_directories_that_it_writes_are_there_while_it_is_imported(workplace: House) -> None:
    """As in a project that logs to a file of a directory which git does not keep."""
    act = replace(KITTENS, writable=["logs/"])
    lines = 'open(BASE / "logs" / "kittens.log", "a").close()'
    record = built(workplace, job(workplace, act, kittens___settings__py=settings(lines)))
    assert record["links"] == {"logs": "data/logs/"}


def given(monkeypatch: pytest.MonkeyPatch) -> list[environments.Wanted]:
    """The environments that are asked for."""
    asked: list[environments.Wanted] = []
    monkeypatch.setattr(environments, "make", lambda paths, wanted, uv, code: asked.append(wanted) or KEY)
    return asked


SCM = "SETUPTOOLS_SCM_PRETEND_VERSION"
PRETENDED = [
    # (the source's version, env, what a build of the environment sees)
    ("v1.2.3", {}, {SCM: "1.2.3"}),
    ("1.2.3rc1", {"A": "b"}, {SCM: "1.2.3rc1", "A": "b"}),
    ("v1.2.3", {SCM: "9"}, {SCM: "9"}),
    ("v1.2.3", {"PLACE": "{data}/x"}, {SCM: "1.2.3"}),
    ("main", {}, {}),
    ("2024", {}, {}),
    ("a" * 40, {}, {}),
]


@pytest.mark.parametrize(("version", "env", "seen"), PRETENDED)
def test_what_a_build_of_the_environment_sees(
    workplace: House, monkeypatch: pytest.MonkeyPatch, version: str, env: dict[str, str], seen: dict[str, str]
) -> None:
    """No history comes to a host, so the version that a tag tells is told; a path of the release would be another's."""
    asked = given(monkeypatch)
    act = replace(KITTENS, source=Source("git", "https://a/b", version), env=env)
    one = job(workplace, act, requirements__txt="Django==5.2.15\n.\n")
    built(workplace, replace(one, inputs={"source": {}, "files": []}))
    assert asked[0].env == seen


def test_a_tag_makes_no_environment_anew(workplace: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the code itself is not installed, nothing has its version."""
    asked = given(monkeypatch)
    built(workplace, job(workplace, replace(KITTENS, source=Source("git", "https://a/b", "v1.2.3"))))
    assert asked[0].env == {}


@pytest.mark.parametrize(
    ("line", "warned"),
    [("uWSGI==2.0.28", True), ("pyuwsgi", True), ("uwsgitop==0.12", False), ("django-uwsgi", False)],
)
def test_a_server_that_nobody_needs(workplace: House, line: str, warned: bool) -> None:
    record = built(workplace, job(workplace, requirements__txt=f"Django==5.2.15\n{line}\n"))
    said = (
        f"{line.partition('=')[0]} is among the requirements, but the Act plays on the host's own uWSGI: leave it"
        " out, because compiling it takes minutes"
    )
    assert (said in record["warnings"]) is warned


SERVERS = [
    # (stage, what the project requires, what the kind adds, the Act's callable)
    (None, "Django==5.2.15", (), "kittens.wsgi:application"),
    (stage_kinds.server("gunicorn"), "Django==5.2.15", ("gunicorn>=22",), "kittens.wsgi:application"),
    (
        stage_kinds.server("asgi"),
        "Django==5.2.15",
        ("gunicorn>=22", "uvicorn[standard]>=0.30", "uvicorn-worker>=0.2"),
        "kittens.asgi:application",
    ),
]


@pytest.mark.parametrize(("server", "required", "added", "application"), SERVERS)
def test_what_a_stage_kind_needs(
    workplace: House,
    monkeypatch: pytest.MonkeyPatch,
    server: Optional[stage_kinds.Server],
    required: str,
    added: tuple[str, ...],
    application: str,
) -> None:
    """Its server comes into the Act's own environment, and it plays the callable of its interface."""
    asked = given(monkeypatch)
    one = job(workplace, requirements__txt=required + "\n", kittens___asgi__py="application = print\n")
    record = built(workplace, replace(one, inputs={"act": 1, **({"server": server} if server else {})}))
    assert (asked[0].requirements, asked[0].server, record["application"]) == (required, added, application)
    assert record["pinned"], "what the project says of its own packages"


def test_the_application_of_the_manifest_counts(workplace: House) -> None:
    act = replace(KITTENS, application="kittens.routing:application")
    one = job(workplace, act)
    record = built(workplace, replace(one, inputs={"act": 1, "server": stage_kinds.server("asgi")}))
    assert record["application"] == "kittens.routing:application"


def test_a_project_without_asgi(workplace: House) -> None:
    one = job(workplace)
    error = failure(workplace, replace(one, inputs={"act": 1, "server": stage_kinds.server("asgi")}))
    assert (error.message, error.step) == ("the settings have no ASGI_APPLICATION: set 'application'", "settings")


@pytest.mark.parametrize(("static", "more"), [("auto", {}), ("app", {"app": True})])
def test_who_answers_static_files(workplace: House, static: str, more: dict[str, Any]) -> None:
    """They are collected either way: nginx has those of earlier releases."""
    record = built(workplace, job(workplace, replace(KITTENS, static=static)))
    assert record["static"] == {"url": "/static/", "root": "own", "relative": True, **more}
    assert Path(workplace.act().release(A).static, "cats", "cat.css").exists()


ROTATING = """
LOGGING = {"version": 1, "root": {"handlers": ["file"]}, "handlers": {
    "file": {"class": "logging.handlers.RotatingFileHandler", "filename": BASE / "logs" / "app.log"}}}
"""
RENAMED = (
    "the log file 'site/logs/app.log' is rotated, but no file can be created beside it in the code: make"
    " the project log into BACKSTAGE_DATA, or into a directory that 'writable' names with a '/'"
)


@pytest.mark.parametrize(("writable", "warned"), [(["logs/app.log"], True), ([], True), (["logs/"], False)])
def test_a_log_file_that_is_renamed_wants_its_directory(workplace: House, writable: list[str], warned: bool) -> None:
    act = replace(KITTENS, source=Source("git", "https://a/b", "v1", subdir="site"), writable=writable)
    texts = {"kittens___settings__py": settings(ROTATING), "logs___keep": ""}
    record = built(workplace, job(workplace, act, below="site", **texts))
    assert (RENAMED in record["warnings"]) is warned


def test_no_warning_holds_a_secret_or_a_second_line(workplace: House) -> None:
    """The Act's own code has a hand in them."""
    long = "locale___de purr-purr\n" + "x" * 200 + "___LC_MESSAGES___django__po"
    record = built(workplace, job(workplace, **{long: ""}))
    (_key, said) = record["warnings"]
    assert "purr-purr" not in said
    assert "\n" not in said
    assert len(said) <= 300


URLS = [
    # (settings, the path, what nginx has to know of static files and uploads)
    ("", "/blog", {"url": "/static/", "root": "own", "relative": True}, NONE),
    ('STATIC_URL = "/static/"', "/blog", {"url": "/static/", "root": "own", "relative": False}, NONE),
    ('STATIC_URL = "https://cdn.example.com/"', "/", NONE, NONE),
    (
        'MEDIA_URL = "up/"; MEDIA_ROOT = BASE / "up"',
        "/blog",
        {"url": "/static/", "root": "own", "relative": True},
        {"url": "/up/", "root": "up", "relative": True},
    ),
]


@pytest.mark.parametrize(("more", "path", "static", "media"), URLS)
def test_urls_below_a_path(
    workplace: House, more: str, path: str, static: dict[str, Any], media: dict[str, Any]
) -> None:
    """The record says where they lie wherever the Act plays; what is built knows where it is to play."""
    lines = more + '\nopen(BASE / "told", "w").write(os.environ.get("BACKSTAGE_PREFIX", ""))'
    one = job(workplace, kittens___settings__py=settings(lines))
    # an Act that leaves a path still plays there while it is built for another one
    one = replace(one, inputs={"path": path} if path != "/" else {}, address=replace(one.address, path="/left"))
    record = built(workplace, one)
    assert (record["static"], record["media"]) == (static, media)
    assert Path(workplace.act().release(A).code, "told").read_text() == path.rstrip("/")


@pytest.mark.parametrize("line", ["./make.sh 'a b'", "scripts/make.sh 'a b'", "sh scripts/make.sh 'a b'"])
def test_a_program_of_the_project(workplace: House, line: str) -> None:
    script = '#!/bin/sh\necho "$1" > made\n'
    source = job(workplace, replace(KITTENS, build=[line]), make__sh=script, scripts___make__sh=script)
    for name in ("make.sh", "scripts/make.sh"):
        (workplace.root / "source" / name).chmod(0o755)
    with tarfile.open(source.archive, "w:gz") as tar:
        tar.add(workplace.root / "source", ".")
    built(workplace, source)
    assert Path(workplace.act().release(A).code, "made").read_text() == "a b\n"


WHERE = [
    # (subdir, chdir, project in release.json)
    ("", ".", "."),
    ("site", ".", "site"),
    ("", "site", "site"),
    ("src", "site", "src/site"),
]


@pytest.mark.parametrize(("subdir", "chdir", "project"), WHERE)
def test_where_the_project_is(workplace: House, subdir: str, chdir: str, project: str) -> None:
    act = replace(KITTENS, source=Source("git", "a", "v1", subdir), chdir=chdir, files=[File("local/x.py", "x = 1\n")])
    named = replace(act, requirements=[os.path.normpath(os.path.join(chdir, "requirements.txt"))])
    record = built(workplace, job(workplace, named, project))
    assert record["project"] == project
    assert Path(workplace.act().release(A).code, subdir, "local", "x.py").read_text() == "x = 1\n"


def test_what_is_given_is_not_asked(workplace: House) -> None:
    act = replace(KITTENS, settings="kittens.other", application="kittens.app:run")
    record = built(workplace, job(workplace, act, kittens___other__py=settings("WSGI_APPLICATION = None")))
    assert (record["settings"], record["application"]) == ("kittens.other", "kittens.app:run")


def test_the_manifests_database_is_there_by_name_only(workplace: House, crew: Crew) -> None:
    """The settings that read DATABASE_URL are built without a PostgreSQL, and a SQLite file is none of the Act's."""
    lines = "import dj_database_url; DATABASES = {'default': dj_database_url.config()}"
    one = job(workplace, replace(KITTENS, database="postgresql"), kittens___settings__py=settings(lines))
    found = built(workplace, one)["databases"]["default"]
    assert found == {"engine": "django.db.backends.postgresql", "name": crew.player.name, "vendor": "postgresql"}


def test_sqlite_in_the_manifest(workplace: House) -> None:
    lines = "import dj_database_url; DATABASES = {'default': dj_database_url.config()}"
    built(workplace, job(workplace, replace(KITTENS, database="sqlite"), kittens___settings__py=settings(lines)))
    assert os.listdir(workplace.act().data) == []
