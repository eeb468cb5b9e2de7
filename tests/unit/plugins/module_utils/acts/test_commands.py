# SPDX-License-Identifier: GPL-3.0-or-later
"""Management commands beside a Sess: real ones of a real Django, as its player, with its variables."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Optional

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.acts import commands
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.host import names, pipes, process, user_processes
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act
from ansible_collections.backstage.django.plugins.modules import backstage_manage
from waiting import eventually

from ...conftest import Crew
from ...house import KITTENS, House, wanted
from ...projects import write
from ...told import told

SECRET = "purr-purr-purr"
ACT = replace(KITTENS, secrets={"KITTENS_KEY": SECRET}, env={"KITTENS_THEME": "tabby"})
COMMAND = """
import os, sys
from django.core.management.base import BaseCommand
class Command(BaseCommand):
    requires_system_checks = []
    def add_arguments(self, parser):
        parser.add_argument("words", nargs="*")
        parser.add_argument("--exit", type=int, default=0)
    def handle(self, *args, words, exit, **options):
        print("as", os.getuid(), "in", os.getcwd(), "with", os.environ["KITTENS_THEME"], words)
        print("complains", file=sys.stderr)
        print("key", os.environ["KITTENS_KEY"])
        if "thread" in words:
            import threading, time
            threading.Thread(target=time.sleep, args=(65,)).start()
        if "raise" in words:
            raise KeyError("tabby")
        if "wait" in words:
            open(os.environ["BACKSTAGE_DATA"] + "/waits", "w").close()
            os.system("sleep 600")
        if "ask" in words:
            input("Are you sure? ")
        if "skip" in words:  # as createsuperuser does
            print("Superuser creation skipped due to not running in a TTY. You can run `manage.py createsuperuser` ...")
        sys.exit(exit)
"""


@pytest.fixture
def playing(crewed: House, django: Path) -> House:
    """kittens plays, and its code has a command."""
    want = wanted(ACT)
    release = crewed.build(want.release)
    environment = Path(crewed.paths.environment("e" * 16))
    environment.parent.mkdir(exist_ok=True)
    environment.symlink_to(django)
    texts = {"cats___management___commands___purr__py": COMMAND}
    paths = [crewed.root, crewed.root / "srv", *map(Path, (crewed.paths.root, crewed.paths.acts, crewed.act().root))]
    for path in paths:
        path.chmod(0o755)
    write(Path(crewed.act().release(release).code), 0, **texts)
    crewed.record(want)
    crewed.play(want)
    return crewed


def prepare(house: House, line: str) -> commands.Command:
    return commands.prepare(house.production, "kittens", commands.split(line))


def test_in_the_world_of_the_sess(playing: House, crew: Crew) -> None:
    command = prepare(playing, "purr 'two words' *.py $HOME --exit=3")
    ran = commands.run(command, "kittens", 60)
    code = playing.act().release(command.release).code
    assert ran.output.splitlines() == [
        f"as {crew.player.uid} in {code} with tabby ['two words', '*.py', '$HOME']",
        "complains",
        "key ********",
    ]
    assert (ran.code, str(ran.error and ran.error.message)) == (
        3,
        "'purr 'two words' '*.py' '$HOME' --exit=3' ended with status 3: key ********",
    )


def test_what_it_returns(playing: House) -> None:
    command = prepare(playing, f"purr {SECRET}")
    result = commands.as_result(command, commands.run(command, "kittens", 60), True)
    assert (result["rc"], result["changed"], len(result["stdout_lines"])) == (0, True, 3)
    assert SECRET not in str(result)
    planned = commands.as_result(command, None, True)
    assert planned["note"] == f"check mode; this would be run: {command.argv[0]} manage.py purr ********"
    assert (planned["stdout"], planned["rc"]) == ("", 0)
    assert {*yaml.safe_load(backstage_manage.RETURN)} == {*planned} - {"changed"}


def test_it_is_ended_with_all_that_it_started(playing: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it waits, its time is over."""
    acts.prepare(playing.act())
    waits = Path(playing.act().data, "waits")
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 600 * waits.exists())
    monkeypatch.setattr(pipes, "time", clock)
    ran = commands.run(prepare(playing, "purr wait"), "kittens", 600)
    assert ran.error
    assert ran.error.message == "'purr wait' was killed after 600 s: raise 'timeout'"
    assert "complains" in ran.output
    player = process.User.named(names.player(playing.production, "kittens"))
    eventually(lambda: user_processes.of(player.uid) == [])  # who is killed is gone a moment later


def test_a_thread_does_not_keep_it(playing: House) -> None:
    ran = commands.run(prepare(playing, "purr thread --exit=4"), "kittens", 40)
    assert (ran.code, ran.output.splitlines()[-1]) == (4, "key ********")


def test_what_it_raises_is_shown_as_by_hand(playing: House) -> None:
    ran = commands.run(prepare(playing, "purr raise"), "kittens", 40)
    lines = ran.output.splitlines()
    where = lines.index("Traceback (most recent call last):")
    assert lines[where + 1].endswith('manage.py", line 6, in <module>')
    assert (ran.code, lines[-1]) == (1, "KeyError: 'tabby'")


def test_nobody_answers_a_question(playing: House) -> None:
    ran = commands.run(prepare(playing, "purr ask"), "kittens", 60)
    assert ran.error
    assert "it asks, and nobody can answer" in ran.error.message


def test_what_django_skips_is_not_done(playing: House) -> None:
    """createsuperuser ends as if all were well."""
    ran = commands.run(prepare(playing, "purr skip"), "kittens", 60)
    assert ran.error
    assert "'purr skip' ended with status 0: it asks, and nobody can answer" in ran.error.message
    assert ran.code == 1


def test_an_unknown_command(playing: House) -> None:
    ran = commands.run(prepare(playing, "miaow"), "kittens", 60)
    assert ran.error
    assert "Unknown command: 'miaow'" in ran.error.message


@pytest.mark.parametrize(
    ("manage", "argv"),
    [
        ("manage.py", ["python", "manage.py", "check"]),
        ("-m kittens", ["python", "-m", "kittens", "check"]),
        ("kittens-admin", ["kittens-admin", "check"]),
    ],
)
def test_the_acts_own_program(playing: House, manage: str, argv: list[str]) -> None:
    release = playing.state().live_release or ""
    shutil.rmtree(playing.act().release(release).root)
    playing.build(release, manage=manage)
    command = prepare(playing, "check")
    programs = playing.paths.environment("e" * 16) + "/bin/"
    assert command.argv == [programs + argv[0], *argv[1:]]
    assert command.env["PATH"].startswith(programs[:-1] + ":")
    assert command.env["BACKSTAGE_ACT"] == "kittens"


def test_acts_that_do_not_play(playing: House) -> None:
    playing.record(wanted(Act("dogs", source=KITTENS.source)))
    playing.record(wanted(Act("cows", source=KITTENS.source)))
    playing.build("a" * 12, "cows")
    said = {name: told(commands.prepare, playing.production, name, ["check"]) for name in ("dogs", "cows", "birds")}
    assert said["dogs"].startswith("it is not built, and a command needs the variables of a Sess: book it, or")
    assert said["cows"].startswith("it is built and does not play, and a command needs the variables of a Sess")
    assert said["birds"].endswith("known: cows, dogs, kittens")


REFUSED = [
    ("", "it is empty"),
    ("shell -c 'print", "its quotes do not match"),
    ("check\nflush", "write it on one line"),
    ("python manage.py check", "give the management command alone"),
    ("./manage.py check", "give the management command alone"),
    ("django-admin check", "give the management command alone"),
]


@pytest.mark.parametrize(("line", "why"), REFUSED)
def test_refused(line: str, why: str) -> None:
    assert why in told(commands.split, line)


CHANGES: list[tuple[str, Optional[bool], bool]] = [
    ("showmigrations --plan", None, False),
    ("check --deploy", None, False),
    ("diffsettings", None, False),
    ("migrate", None, True),
    ("migrate --plan", None, False),
    ("migrate --check", None, False),
    ("makemigrations --dry-run", None, False),
    ("makemigrations --check", None, True),  # before Django 4.2 it wrote
    ("collectstatic -n", None, False),
    ("dumpdata cats", None, False),
    ("dumpdata --output=/tmp/x", None, True),
    ("dumpdata -o x", None, True),
    ("loaddata --help", None, False),
    ("billing --plan gold", None, True),  # a project's own option may mean anything
    ("billing --dry-run", None, True),
    ("billing --dry-run", False, False),
    ("check", True, True),
]


@pytest.mark.parametrize(("line", "told_", "changed"), CHANGES)
def test_changes(line: str, told_: Any, changed: bool) -> None:
    assert commands.changes(commands.split(line), told_) is changed


UNDOES: list[tuple[str, bool]] = [
    ("migrate cats 0001_initial", True),
    ("migrate cats zero --database logs", True),
    ("migrate --fake", True),
    ("migrate", False),
    ("migrate cats", False),
    ("migrate cats 0001_initial --plan", False),
    ("showmigrations cats x", False),
]


@pytest.mark.parametrize(("line", "undoes"), UNDOES)
def test_what_may_undo_migrations(line: str, undoes: bool) -> None:
    assert commands.undoes(commands.split(line)) is undoes


def test_migrations_that_are_undone_are_applied_by_the_next_deploy(playing: House) -> None:
    """Before the command runs it is written down, so that one that is killed counts, too."""
    release = playing.state().live_release or ""
    playing.log({"event": "migrated", "release": release})
    player = process.User.named(names.player(playing.production, "kittens"))
    Path(playing.act().data).mkdir(exist_ok=True)
    os.chown(playing.act().data, player.uid, player.gid)
    for line, done in (("migrate", True), ("migrate cats zero", False)):
        command = commands.prepare(playing.production, "kittens", commands.split(line))
        assert commands.run(command, "kittens", 60).code == 0
        assert playing.state().history.migrated(release, "") is done
    assert playing.state().history.events[-1]["run"] == "migrate cats zero"
