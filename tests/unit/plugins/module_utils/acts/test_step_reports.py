# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that the Act's own code has written: nothing of another shape is taken for an answer."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import step_reports
from ansible_collections.backstage.django.plugins.module_utils.host import pipes

from ...projects import Make
from ...told import told

BUILD: dict[str, Any] = {
    "settings": "kittens.settings",
    "wsgi_application": "kittens.wsgi.application",
    "asgi_application": "kittens.asgi.application",
    "static_url": "/static/",
    "static_root": "/code/static",
    "media_url": "",
    "media_root": "",
    "debug": False,
    "migrations": "0" * 64,
    "graph": {"cats.0002_tail": ["cats.0001_initial"]},
    "databases": {"default": {"engine": "django.db.backends.sqlite3", "name": "/data/db.sqlite3", "vendor": "sqlite"}},
    "collected": None,
    "told": ["SECRET_KEY stands in the code"],
    "rotating": [],
    "apps": ["kittens"],
    "migrated": ["default"],
}
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("build", BUILD),
    ("build", {**BUILD, "wsgi_application": None, "migrations": "", "databases": {}, "collected": "1 file\n"}),
    ("migrate", {"applied": ["cats.0001_initial"]}),
    ("applied", {"applied": [["cats", "0001_initial"]]}),
    ("look", {"told": [], "pages": ["/"], "warnings": ["security.W009: x"], "unwritten": [], "pending": []}),
    (
        "survey",
        {
            "databases": [
                {"alias": "default", "vendor": "sqlite", "size": 4096, "tables": 2, "pending": 0, "owned": True}
            ],
            "applied": [["cats", "0001_initial"]],
        },
    ),
    ("dump", {"size": 0, "digest": "0" * 64}),
    ("restore", {}),
    ("run", {}),
    ("run", {"failed": "loaddata", "error": "CommandError", "message": "no\nfixture", "applied": []}),
    ("build", {"failed": "settings", "error": "KeyError", "message": "'A'"}),
]


@pytest.mark.parametrize(("mode", "found"), GOOD)
def test_what_steps_report(mode: str, found: dict[str, Any]) -> None:
    begun = json.dumps({"step": "settings"}) + "\n"
    assert step_reports.read(mode, begun + json.dumps(found) + "\n") == found


def build(**changes: Any) -> str:
    return json.dumps({**BUILD, **changes})


FORGED = [
    # (report, what is wrong with it)
    ("5", "is no mapping"),
    ("[]", "is no mapping"),
    ("null", "is no mapping"),
    ('"failed"', "is no mapping"),
    ("NaN", "is no mapping"),
    ("{", "is no JSON that can be read"),
    ("9" * 5000, "is no JSON that can be read"),
    ("[" * 200_000, "is no JSON that can be read"),
    ('{"a":' * 100_000, "is no JSON that can be read"),
    ('{"failed":"x"}', "has no 'error'"),
    ('{"failed":["a"],"error":5,"message":{},"applied":7}', "has 'failed', which is no text"),
    ('{"failed":"a","error":"b","message":"c","applied":7}', "has 'applied', which is no list"),
    ('{"settings":"x"}', "has no 'wsgi_application'"),
    (build(more=1), "has the key 'more', which no step reports"),
    (build(**{"\ud800\n": 1}), "has the key '\\ud800\\n', which no step reports"),
    (build(static_root="/code/../../../blog"), "has 'static_root', which is no absolute path in its shortest form"),
    (build(static_root="/code/."), "has 'static_root', which is no absolute path in its shortest form"),
    (build(media_root="/code/.."), "has 'media_root', which is no absolute path in its shortest form"),
    (build(media_root="code"), "has 'media_root', which is no absolute path in its shortest form"),
    (build(media_root="/co\0de"), "has 'media_root', which has characters that no text has"),
    (build(static_url="/a/\n/"), "has 'static_url', which has characters that no text has"),
    (build(static_url=7), "has 'static_url', which is no text"),
    (build(wsgi_application="kittens.wsgi\nEVIL=1"), "has 'wsgi_application', which has characters that no text has"),
    (build(wsgi_application="kittens\ud800.wsgi"), "has 'wsgi_application', which has characters that no text has"),
    (build(wsgi_application="k\0.wsgi"), "has 'wsgi_application', which has characters that no text has"),
    (build(settings="x" * 501), "has 'settings', which has 501 characters, and 500 are the most"),
    (build(debug=1), "has 'debug', which is neither true nor false"),
    (build(migrations="x" * 64), "has 'migrations', which is no such text"),
    (build(databases=[1, 2]), "has 'databases', which is no mapping"),
    (build(databases={"a": 1}), "has 'databases', which is no mapping"),
    (build(databases={"a": {"engine": "x"}}), "has 'databases', which has no 'name'"),
    (build(databases={str(n): {} for n in range(101)}), "has 'databases', which has 101 items, and 100 are the most"),
]


@pytest.mark.parametrize(("report", "wrong"), FORGED)
def test_forged_reports(report: str, wrong: str) -> None:
    assert told(step_reports.read, "build", report) == (
        f"the Act's Python wrote a report that is not accepted: it {wrong};"
        " the project's code may have written to the report's descriptor"
    )


OTHERS = [
    ("migrate", {"applied": "all"}, "has 'applied', which is no list"),
    ("migrate", {"applied": ["x"] * 10_001}, "has 'applied', which has 10001 items, and 10000 are the most"),
    ("applied", {"applied": [["a"]]}, "has 'applied', which is no pair"),
    ("applied", {"applied": [["a", 1]]}, "has 'applied', which is no text"),
    ("look", {"told": [], "pages": [], "warnings": [], "unwritten": []}, "has no 'pending'"),
    ("run", {"x": 1}, "has the key 'x', which no step reports"),
]


@pytest.mark.parametrize(("mode", "found", "wrong"), OTHERS)
def test_forged_reports_of_other_modes(mode: str, found: Any, wrong: str) -> None:
    assert f"it {wrong};" in told(step_reports.read, mode, json.dumps(found))


def test_what_is_only_shown_is_made_printable() -> None:
    found = {"failed": "a\nb", "error": "E", "message": "x\0\ud800\ny" + "z" * 30_000}
    read = step_reports.read("run", json.dumps(found))
    assert (read["failed"], read["message"][:5], len(read["message"])) == ("a\ufffdb", "x\ufffd\ufffd\ny", 20_000)


FORGER = """
import os, sys
line = open("/proc/self/cmdline", "rb").read().split(b"\\0")
os.write(int(line[-2]), {report!r})
os._exit({code})
"""
REAL = [
    # (what the project writes, its exit code, what is said)
    (b"[" * 200_000, 0, "it is no JSON that can be read;"),
    (b'{"failed": 5}', 1, "it has no 'error';"),
    (b"x" * (step_reports.MOST + 9000), 0, "wrote a report that is longer than 1,048,576 bytes"),
    (b"", 0, "the Act's Python ended with status 0 and no answer"),
    (b'{"step": "collectstatic"}\n', 3, "the Act's Python ended with status 3 and no answer"),
]


@pytest.mark.parametrize(("report", "code", "wrong"), REAL)
def test_a_project_that_forges_its_report(project: Make, report: bytes, code: int, wrong: str) -> None:
    failure = project(manage__py=FORGER.format(report=report, code=code)).failure("build")
    assert wrong in failure.message
    assert failure.step == ("collectstatic" if code == 3 else "build" if "longer" in wrong else "settings")


THREAD = """
import atexit, sys, threading, time
from django.apps import AppConfig
def left(): print("at the exit")
class Cats(AppConfig):
    name = "cats"
    def ready(self):
        atexit.register(left)
        threading.Thread(target=time.sleep, args=(65,)).start()
        print("before", end="")
"""


def test_a_thread_of_the_project_does_not_keep_a_step(project: Make, place: Path) -> None:
    made = project(cats___apps__py=THREAD)
    for mode, more in (("build", {}), ("migrate", {}), ("run", {"words": ["showmigrations", "cats"]})):
        found = made.run(mode, **more)
        assert found["output"].startswith("before"), mode
        assert "at the exit\n" in found["output"], mode


SLOW = """
import os, time
from django.core.checks import register
@register()
def slow(**_):
    open(os.environ["BACKSTAGE_DATA"] + "/waits", "w").close()
    time.sleep(600)
"""


def test_which_step_does_not_end(project: Make, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it waits, its time is over."""
    waits = place / "data" / "waits"
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600 * waits.exists())
    monkeypatch.setattr(pipes, "time", clock)
    failure = project(cats__models__py=None, cats___models__py=SLOW).failure("build")
    assert (failure.step, failure.message) == ("check", "it has not ended within 3600 s, and was killed")
