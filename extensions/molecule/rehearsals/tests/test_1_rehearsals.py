# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal tries an Act out where nobody can reach it, and leaves only packages on the host."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from faults.controller import Run
from faults.host import Host
from street import CORNER, Street, pleased

SEEN = """
cat /etc/passwd /etc/group /etc/shadow /etc/gshadow
find /srv /etc /home /root /tmp /var/tmp /usr/local /run/backstage /var/log/backstage /var/lib/uwsgi -xdev 2>/dev/null |
  grep -Ev '^(/root/.ansible|/tmp/ansible_[^/]*_payload)' | sort
ps -eo user= | sort -u
"""
MODEL = """
from django.db import models
class Note(models.Model):
    text = models.CharField(max_length=9)
"""


KEPT = re.compile(
    r"/srv/backstage/rehearsal(/(environments|cache|kept|\.used|\.environments\.lock)(/.*)?)?\Z|rehearsal__build:"
)
"""What may stay: packages for the next rehearsal, and the user that fetched them."""


def looks(street: Street) -> list[set[str]]:
    """Return what must be the same before and after, for each host."""
    return [set(host.sh(SEEN).splitlines()) for host in street.hosts]


def unchanged(street: Street, before: list[set[str]], kept: bool = True) -> None:
    changed = [sorted(was ^ now) for was, now in zip(before, looks(street))]
    assert [[line for line in lines if not (kept and KEPT.match(line))] for lines in changed] == [[], []]


def rehearse(street: Street, host: Host, **extra: Any) -> Run:
    return street.controller(host).play("rehearse", **extra)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project that `django-admin startproject` made, with one app."""
    path = tmp_path_factory.mktemp("projects") / "plain"
    path.mkdir()
    subprocess.run([sys.executable, "-m", "django", "startproject", "plain", "."], cwd=path, check=True)
    subprocess.run([sys.executable, "manage.py", "startapp", "notes"], cwd=path, check=True)
    settings = path / "plain" / "settings.py"
    settings.write_text(settings.read_text().replace("INSTALLED_APPS = [", "INSTALLED_APPS = ['notes',"))
    (path / "notes" / "models.py").write_text(MODEL)
    return path


@pytest.mark.parametrize("number", [0, 1])
def test_a_directory_without_a_manifest(street: Street, plain: Path, number: int) -> None:
    host = street.hosts[number]
    before = looks(street)
    run = rehearse(street, host, path=str(plain), venue="plain.example.com")
    assert run.code == 0, run.printed[-3000:]
    unchanged(street, before)
    lines = run.last["manifest"]["backstage_acts"][0]
    assert (lines["settings"], lines["writable"], lines["health"]) == (
        "plain.stage",
        ["db.sqlite3"],
        {"path": "/admin/"},
    )
    assert run.last["unwritten"] == ["notes"]
    assert len(run.last["applied"]) == 18
    for words in (
        "ALLOWED_HOSTS",
        "STATIC_ROOT",
        "DEBUG = False",
        "check --deploy",
        "it plays",
        "packages are left on",
    ):
        assert words in run.printed, words


def test_the_printed_lines_are_a_manifest(street: Street, plain: Path) -> None:
    """The lines that one host printed play the Act on both hosts, and the second run changes nothing."""
    run = rehearse(street, street.hosts[0], path=str(plain), venue="plain.example.com")
    manifest = run.last["manifest"]
    (act,) = manifest["backstage_acts"]
    act["secrets"] = dict.fromkeys(act["secrets"], "a-secret-that-somebody-keeps-in-a-vault")
    both = street.controller(*street.hosts)
    given = {**manifest, "backstage_production": "tryouts"}
    assert both.play("deploy", **given).code == 0
    assert both.play("deploy", **given).changed == 0
    assert [answer.status for answer in street.ask("plain.example.com", "/admin/login/")] == [200, 200]
    assert both.play("strike", **given, backstage_delete_data=["plain"]).code == 0


def test_given_lines_are_used_and_a_wrong_one_is_corrected(street: Street, plain: Path) -> None:
    lines = {"health": {"path": "/nowhere/"}, "env": {"THEME": "tabby"}, "timeout": 20}
    run = rehearse(street, street.hosts[0], path=str(plain), lines=lines)
    assert run.code == 0
    act = run.last["act"]
    assert (act["env"], act["timeout"], act["health"]) == ({"THEME": "tabby"}, 20, {"path": "/admin/"})


def test_a_failure_that_no_line_cures(street: Street, plain: Path) -> None:
    """The output has one sentence and the end of the log. Nothing is left on the host."""
    before = looks(street)
    urls = plain / "plain" / "urls.py"
    whole = urls.read_text()
    urls.write_text(f"import plain.nowhere\n{whole}")
    run = rehearse(street, street.hosts[0], path=str(plain))
    urls.write_text(whole)
    assert run.code != 0
    assert run.message == f"act plain, check on h1: {CURE}"
    assert "ModuleNotFoundError: No module named 'plain.nowhere'" in run.printed
    assert "writable" not in run.printed.partition("TASK")[0]
    unchanged(street, before)


CURE = "the project's own module 'plain.nowhere' is missing: write it into 'files', or add it to the source"


def test_another_version_of_an_act_of_the_manifest(street: Street) -> None:
    """The rehearsal shows the plan and the migrations of a deploy. The old release answers visitors meanwhile."""
    before = looks(street)
    with street.visited(f"{CORNER}/") as seen:
        run = street.try_to_play("rehearse", act="busker", version="v3")
    assert run.code == 0, run.printed[-3000:]
    pleased(seen, CORNER)
    unchanged(street, before)
    found = [line["result"] for line in run.results if "plays" in line["result"]]
    assert [result["pending"] for result in found] == [["busker.0002_song_tempo"]] * 2
    for result in found:
        steps = [(step["verb"], step["noun"]) for step in result["plan"]]
        assert steps == [("build", "act"), ("migrate", "act"), ("play", "sess"), ("change", "act")]
    street.acts["busker"]["source"]["version"] = "v3"
    street.play()
    assert street.try_to_play("rehearse", act="busker").last["pending"] == []
    plan = [line["result"]["plan"] for line in run.results if "plays" in line["result"]]
    assert len(plan) == 2


def test_a_manifest_that_lacks_a_line(street: Street) -> None:
    street.acts["busker"]["env"] = {"DJANGO_SETTINGS_MODULE_": "x"}
    street.acts["busker"]["secrets"] = {}
    run = street.try_to_play("rehearse", act="busker")
    street.acts["busker"].update(env={}, secrets={"SECRET_KEY": "another-key-of-the-busker-5510"})
    assert run.code != 0
    assert run.message.startswith("act busker: it plays with lines that the manifest lacks (secrets): the environment")
    assert "secrets: {SECRET_KEY: '{{ vault_busker_secret_key }}'}" in run.printed


def test_a_rehearsal_removes_what_a_killed_one_left(street: Street, plain: Path) -> None:
    host = street.hosts[0]
    before = looks(street)
    running = street.controller(host).start("rehearse", path=str(plain))
    live = "/srv/backstage/rehearsal/acts/plain/live"
    kill = "pkill -9 -f '^/usr/bin/python3'"
    host.sh(f"for n in $(seq 1200); do [ ! -e {live} ] || {{ {kill}; exit; }}; sleep 0.1; done; exit 1")
    running.kill()
    assert "rehearsal" in host.sh("ls /srv/backstage; grep -c rehearsal /etc/passwd")
    assert rehearse(street, host, path=str(plain)).code == 0
    unchanged(street, before)


def test_two_rehearsals_at_once(street: Street, plain: Path) -> None:
    """The second one waits for the first one, or names the holder of the lock."""
    host = street.hosts[0]
    first = street.controller(host).start("rehearse", path=str(plain))
    host.sh("for n in $(seq 600); do [ -e /srv/backstage/rehearsal/acts/plain ] && exit 0; sleep 0.2; done; exit 1")
    start = time.monotonic()
    refused = rehearse(street, host, path=str(plain), backstage_lock_timeout=0)
    assert refused.code != 0
    assert "/srv/backstage/.rehearsal; run again when it has ended, or raise lock_timeout" in refused.message
    second = rehearse(street, host, path=str(plain))
    assert (first.end().code, second.code) == (0, 0)
    assert time.monotonic() - start > 5
