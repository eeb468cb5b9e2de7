# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals: the loop over what the managers say, told one by one, and that nothing is left whatever they say."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.acts import commands
from ansible_collections.backstage.django.plugins.module_utils.diagnosis import lookup
from ansible_collections.backstage.django.plugins.module_utils.host import layout, names, process, users
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order, Outcome
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import cures, findings
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import rehearsal as rehearsals
from ansible_collections.backstage.django.plugins.module_utils.stages import pages
from ansible_collections.backstage.django.plugins.modules import backstage_rehearsal

from ...conftest import _house
from ...house import House
from ...manifests import COMMIT, VENUE
from ...told import told

BUILD = ("environment", "settings", "check", "collectstatic", "packages")
FILES = {
    "manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kittens.settings")',
    "kittens/settings.py": "",
    "kittens/wsgi.py": "application = get_wsgi_application()\n",
    "requirements.txt": "Django\n",
}
SQLITE = {"engine": "django.db.backends.sqlite3", "name": "{code}/../../../data/db.sqlite3"}
IN_THE_CODE = {**SQLITE, "name": "{code}/db.sqlite3"}
POSTGRES = {"engine": "django.db.backends.postgresql", "name": "live"}


@dataclass
class Managers:
    """What the managers answer, one failure after the other, and what they were asked.

    Args:
        house: the host.
        script: the failures, each as the step and what the Act printed; None where all is well.
        looks: what Django says of a release that plays; or a function that is told the Act.
        record: what is known of every release that was built; likewise.
        warnings: what is said of a Sess that plays.
    """

    house: House
    script: list[Optional[tuple[str, str]]]
    looks: Any = field(default_factory=dict)
    record: Any = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def carry_out(self, order: Order) -> Outcome:
        self.orders.append(order)
        if order.strike:
            return Outcome()
        failure = self.script[0]
        if failure and (failure[0] in BUILD) == (order.through == "build"):
            self.script.pop(0)
            step, printed = failure
            return Outcome(errors=[BackstageError(lookup.find(printed) or printed, "act kittens", step, printed)])
        release = production.wanted_release(order, "kittens")
        if order.through == "build" and not self.house.state().releases.get(release):
            code = self.house.act().release(release).code
            record = self.record(order.manifest.acts["kittens"]) if callable(self.record) else self.record
            databases = json.loads(json.dumps(record).replace("{code}", code))
            self.house.build(release, **databases)
        elif order.through == "play":
            self.script.pop(0)
            return Outcome(warnings=self.warnings)
        return Outcome()

    def ask(self, order: Order, _act: str, _mode: str, options: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(options["applied"])
        looks = self.looks(order.manifest.acts["kittens"]) if callable(self.looks) else self.looks
        return {"pages": ["/", "/a/"], "warnings": [], "unwritten": [], "pending": [], **looks}


@pytest.fixture
def stage(place: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A host that is prepared, seen by the Production in which Acts rehearse."""
    house = _house(place, monkeypatch, names.REHEARSAL)
    monkeypatch.setattr(rehearsals, "REHEARSAL_LOCK", str(place / "srv" / ".rehearsal"))
    return house


def options(house: House, **more: Any) -> dict[str, Any]:
    archive = house.root / "kittens.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    defaults = {key: rule.get("default") for key, rule in spec.rehearsal().items()}
    return {
        **defaults,
        "path": "/kittens",
        "act": "kittens",
        "production": "tryout",
        "acts": [{"name": "kittens", "source": {"path": "/kittens", "git": None}, "settings": None}],
        "venues": [{"name": VENUE}],
        "gigs": [{"act": "kittens", "venue": VENUE}],
        "resolved": {"kittens": {"content": COMMIT, "label": "v1"}},
        "shipped": {"kittens": {"path": str(archive), "sha256": ""}},
        **more,
    }


def rehearse(
    house: House, monkeypatch: pytest.MonkeyPatch, *script: Optional[tuple[str, str]], more: Any = None, **managers: Any
) -> tuple[dict[str, Any], Managers]:
    """What a rehearsal returns, and what it did."""
    made = Managers(house, [*script], **managers)
    monkeypatch.setattr(production, "carry_out", made.carry_out)
    monkeypatch.setattr(production, "ask", made.ask)
    rehearsal = rehearsals.Rehearsal(options(house, **(more or {})))
    found = rehearsal.run()
    result = findings.as_result(found, rehearsal.before, rehearsal.exact)
    return {**result, "verdict": findings.verdict(found, result) if found.error or result["lacking"] else ""}, made


def contents(act: Act) -> str:
    return "".join(file.content for file in act.files)


def test_an_act_that_needs_no_line(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, managers = rehearse(stage, monkeypatch, None)
    assert (found["plays"], found["because"], found["missing"], found["error"]) == (True, {}, [], "")
    assert found["act"] == {"name": "kittens", "source": {"path": "/kittens"}}
    assert found["found"] == {
        "settings": "kittens.settings",
        "application": "kittens.wsgi:application",
        "manage": "manage.py",
        "requirements": ["requirements.txt"],
    }
    by_the_controller = {"manifest", "stdout", "stdout_lines"}
    assert {*yaml.safe_load(backstage_rehearsal.RETURN)} == {*found, *by_the_controller} - {"verdict"}
    first, *played, last = managers.orders
    assert first.strike
    assert last.strike
    assert [order.through for order in played] == ["build", "play"]


def test_nobody_hears_of_it(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told its Venues, and plays in its own Production, without a port of the host."""
    more = {"sesses": [{"act": "kittens", "port": 8001, "state": "stopped", "processes": 3}]}
    _found, managers = rehearse(stage, monkeypatch, None, more=more)
    for order in managers.orders:
        assert (order.manifest.production, order.private) == (names.REHEARSAL, True)
    played = managers.orders[2]
    sess = played.manifest.sesses["kittens"]
    assert (sess.port, sess.state, sess.processes) == (None, "started", 3)
    assert [*played.manifest.venues] == [VENUE]
    assert played.manifest.acts["kittens"].secrets == {}


def test_lines_are_written_until_it_plays(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, managers = rehearse(
        stage,
        monkeypatch,
        ("settings", "KeyError: 'SECRET_KEY'"),
        ("settings", "KeyError: 'KITTENS_LIMIT'"),
        ("settings", "ValueError: invalid literal for int() with base 10: 'rehearsal-placeholder'"),
        ("collectstatic", "STATIC_ROOT is not set"),
        ("migrate", "OperationalError: attempt to write a readonly database"),
        ("gate", "/ answers 400 to the host 'kittens.example.com'"),
        ("gate", "/ answers 404 to the host 'kittens.example.com'"),
        None,
        record={"databases": {"default": IN_THE_CODE}, "project": "."},
    )
    assert found["plays"]
    act = found["act"]
    assert act["secrets"] == {"SECRET_KEY": "{{ vault_kittens_secret_key }}"}
    assert (act["env"], act["writable"], act["health"]) == ({"KITTENS_LIMIT": "1"}, ["db.sqlite3"], {"path": "/a/"})
    assert act["settings"] == "kittens.stage"
    assert "STATIC_ROOT = " in act["files"][0]["content"]
    assert "ALLOWED_HOSTS = " in act["files"][0]["content"]
    assert found["because"]["writable"] == [lookup.find("attempt to write a readonly database")]
    assert found["missing"] == ["KITTENS_LIMIT needs a value: this one only let the rehearsal continue"]
    assert found["lacking"] == []
    assert found["verdict"] == ""
    last = managers.orders[-2].manifest.acts["kittens"]
    assert last.secrets
    assert len(last.secrets["SECRET_KEY"]) > 40
    assert last.secrets["SECRET_KEY"] not in str(found)


def test_a_page_whose_style_sheet_is_a_package_of_javascript(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILES, "ui/package.json", "{}")
    monkeypatch.setitem(FILES, "kittens/settings.py", "STATICFILES_DIRS = [BASE / 'ui/node_modules']")
    said = f"/ names the style sheet /static/a.css: {pages.WHERE}"
    found, _managers = rehearse(stage, monkeypatch, ("gate", said), None)
    assert found["act"]["build"] == ["npm --prefix ui install --omit=dev"]


def test_a_sess_that_takes_its_time(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow host is no reason to end: twice the time, and once more."""
    slow = ("start", "the Sess was not ready within 30 s: raise health.timeout")
    found, managers = rehearse(stage, monkeypatch, slow, slow, None)
    assert found["act"]["health"] == {"timeout": 120}
    assert [order.manifest.acts["kittens"].health.timeout for order in managers.orders[2:-1:2]] == [30, 60, 120]
    found, _managers = rehearse(stage, monkeypatch, *[slow] * 5)
    assert (found["plays"], found["act"].get("health")) == (False, None)


def test_a_reason_names_places_as_the_source_has_them(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release that is tried is gone when somebody reads it."""
    rehearsal = rehearsals.Rehearsal(options(stage))
    code = rehearsal.paths.act("kittens").release(rehearsal._release()).code
    found, _managers = rehearse(
        stage,
        monkeypatch,
        ("check", f"PermissionError: [Errno 13] Permission denied: '{code}/media' (mkdir)"),
        None,
    )
    assert found["act"]["writable"] == ["media/"]
    assert found["because"]["writable"][0].startswith("the Act may not make the directory 'media': ")


@pytest.mark.parametrize(
    ("step", "printed"),
    [
        ("settings", "No module named 'kittens_secret'"),
        ("check", "SystemError: whatever"),
        ("gate", "/ answers 500"),
        ("environment", "Because x was not found in the package registry and you require x"),
    ],
)
def test_a_cause_without_a_cure(stage: House, monkeypatch: pytest.MonkeyPatch, step: str, printed: str) -> None:
    found, managers = rehearse(stage, monkeypatch, (step, printed))
    assert (found["plays"], found["step"], found["log"]) == (False, step, printed)
    assert found["error"] == (lookup.find(printed) or printed)
    assert found["missing"] == [found["verdict"].partition("\n")[0]]
    assert f"act kittens, {step} on " in found["verdict"]
    assert managers.orders[-1].strike


def test_a_cure_that_does_not_help_is_not_tried_again(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ("gate", "/ answers 400 to the host 'kittens.example.com'")
    found, managers = rehearse(stage, monkeypatch, refused, refused)
    assert not found["plays"]
    assert "ALLOWED_HOSTS" in found["error"]
    assert {*found["act"]} == {"name", "source"}, "a line that cured nothing is not written"
    assert found["tried"] == [f"{cures.HOSTS}: it did not help, and was removed"]
    assert len([order for order in managers.orders if order.through == "play" and not order.strike]) == 2


def test_a_cure_that_no_manifest_takes(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found until then is told, and not the refusal of a line that nobody has written."""

    def wrong(case: cures.Case) -> None:
        case.draft.set("writable", ["a", "a/"], case.because)

    monkeypatch.setitem(cures.CURES, "STATIC_ROOT unset", (wrong,))
    found, _managers = rehearse(stage, monkeypatch, ("collectstatic", "STATIC_ROOT is not set"))
    assert (found["plays"], "writable" in found["act"]) == (False, False)
    assert found["error"].startswith("STATIC_ROOT is not set")


def test_a_line_that_does_not_help_gives_way_to_the_next(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that read no variable for their database are told it; what came before for other causes stays."""
    text = "DATABASES = [os.environ.get('DB_NAME'), os.environ.get('DB_ENGINE')]"
    monkeypatch.setitem(FILES, "kittens/settings.py", text)
    refused = ("migrate", 'connection to server at "db", port 5432 failed: Connection refused')
    missing = ("settings", "KeyError: 'THEME'")
    found, _managers = rehearse(stage, monkeypatch, refused, missing, refused, None)
    assert found["plays"]
    assert found["act"]["env"] == {"THEME": cures.PLACEHOLDER}
    assert "DATABASES = " in found["act"]["files"][0]["content"]
    (said,) = found["tried"]
    assert said.startswith('database: {"engine": "sqlite"}; env: {"DB_NAME": "{database}", "DB_ENGINE": "django.db')


def test_what_can_not_be_cured_while_it_plays_is_missing(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _managers = rehearse(stage, monkeypatch, None, None, record={"debug": True})
    assert (found["plays"], found["missing"]) == (True, [rehearsals.DEBUG_ON])
    assert found["tried"] == ["DEBUG = False: it did not help, and was removed"]
    assert "files" not in found["act"]


def test_debian_packages_are_named(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _managers = rehearse(
        stage,
        monkeypatch,
        ("environment", "Failed to build `psycopg2==2.9`\nError: pg_config executable not found."),
        ("packages", "Debian packages are missing on this host: gcc; backstage.django.site installs them"),
    )
    assert found["act"]["packages"] == ["gcc", "libpq-dev", "python3-dev"]
    assert found["missing"][-1] == (
        """rehearse again with -e '{"lines": {"packages": ["gcc", "libpq-dev", "python3-dev"]}}'"""
    )


def test_a_package_that_nobody_knows(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _managers = rehearse(
        stage, monkeypatch, ("environment", "x.c:1:1: fatal error: x/y.h: No such file or directory")
    )
    assert "packages" not in found["act"]


def test_what_plays_and_should_not_play_so(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both at once, and asked of the release that plays: with another line it is another release."""
    weak = ["security.W009: Your SECRET_KEY is weak."]

    def looks(act: Act) -> dict[str, Any]:
        return {"warnings": [] if "SECRET_KEY =" in contents(act) else weak, "pending": ["a.0001"]}

    def record(act: Act) -> dict[str, Any]:
        return {"debug": "DEBUG = False" not in contents(act)}

    found, managers = rehearse(stage, monkeypatch, None, None, looks=looks, record=record)
    content = found["act"]["files"][0]["content"]
    assert "DEBUG = False" in content
    assert 'SECRET_KEY = os.environ["SECRET_KEY"]' in content
    assert len([order for order in managers.orders if order.through == "build"]) == 2
    assert (found["tried"], found["missing"]) == ([], [])
    assert managers.asked == [None, None], "each release once"
    assert found["pending"] == [], "a directory has no database that anything could be pending for"


STANDS = "SECRET_KEY stands in kittens/settings.py, for everybody who can read the source: give it in 'secrets'"


def test_a_strong_key_that_stands_in_the_code(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django finds nothing wrong with it, and whoever has the source can sign with it."""

    def record(act: Act) -> dict[str, Any]:
        return {"warnings": [] if "SECRET_KEY =" in contents(act) else [STANDS, "and something else"]}

    found, _managers = rehearse(stage, monkeypatch, None, None, record=record)
    assert 'SECRET_KEY = os.environ["SECRET_KEY"]' in found["act"]["files"][0]["content"]
    assert found["because"]["secrets"] == [STANDS]


ELSEWHERE = {"engine": "django.db.backends.sqlite3", "name": "file:/var/lib/cats.db?mode=rw"}


@pytest.mark.parametrize("database", [ELSEWHERE, {**ELSEWHERE, "name": "/var/lib/cats.db"}])
def test_a_file_that_lies_elsewhere_is_not_migrated(
    stage: House, monkeypatch: pytest.MonkeyPatch, database: dict[str, str]
) -> None:
    found, _managers = rehearse(
        stage, monkeypatch, None, looks={"pending": ["a.0001"]}, record={"databases": {"default": database}}
    )
    assert f"its database '{database['name']}' is not the rehearsal's own" in found["error"]


def test_a_database_of_somebody_elses_is_not_migrated(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = {"pending": [f"a.{number:04}" for number in range(7)]}
    found, managers = rehearse(stage, monkeypatch, None, looks=looks, record={"databases": {"default": POSTGRES}})
    assert not found["plays"]
    assert found["error"] == (
        "its database 'live' is not the rehearsal's own, and lacks 7 migrations"
        " (a.0000, a.0001, a.0002, a.0003, a.0004 ...), so no page was asked for"
    )
    assert [order.through for order in managers.orders if not order.strike] == ["build"]


def test_a_database_of_somebody_elses_that_lacks_nothing(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "name": "kittens",
        "source": {"path": "/kittens"},
        "fixtures": ["a.json"],
        "seed": [{"name": "a", "run": "b"}],
    }
    found, managers = rehearse(
        stage, monkeypatch, None, record={"databases": {"default": POSTGRES}}, more={"acts": [given]}
    )
    assert found["plays"]
    act = managers.orders[2].manifest.acts["kittens"]
    assert (act.migrate, act.fixtures, act.seed) == (False, [], [])


@pytest.mark.parametrize(
    ("database", "item"),
    [
        ({"engine": "", "name": ""}, {}),
        ({"engine": "django.db.backends.dummy", "name": ""}, {}),
        (SQLITE, {}),
        ({"engine": "django.db.backends.sqlite3", "name": ":memory:"}, {}),
        ({"engine": "django.db.backends.sqlite3", "name": "file:cats?mode=memory&cache=shared"}, {}),
        ({**SQLITE, "name": f"file:{SQLITE['name']}?mode=rwc"}, {}),
        ({**SQLITE, "engine": "django.contrib.gis.db.backends.spatialite"}, {}),
        ({**SQLITE, "engine": "kittens.faster_sqlite", "vendor": "sqlite"}, {}),
        (POSTGRES, {"database": {"engine": "postgresql"}}),
    ],
)
def test_a_database_of_its_own_is_migrated(
    stage: House, monkeypatch: pytest.MonkeyPatch, database: dict[str, str], item: dict[str, Any]
) -> None:
    given = {"name": "kittens", "source": {"path": "/kittens"}, **item}
    more = {"acts": [given]}
    found, managers = rehearse(stage, monkeypatch, None, record={"databases": {"default": database}}, more=more)
    assert found["plays"]
    assert managers.orders[2].manifest.acts["kittens"].migrate


EXACT = {"path": None, "production": "cats"}


@pytest.mark.parametrize("database", [IN_THE_CODE, {**IN_THE_CODE, "name": "db.sqlite3"}])
@pytest.mark.parametrize("given", [{}, EXACT])
def test_a_database_in_the_code(
    stage: House, monkeypatch: pytest.MonkeyPatch, database: dict[str, str], given: dict[str, Any]
) -> None:
    """Pages can be read from it, and nobody could log in: it plays, and not so."""
    record = {"databases": {"default": database}, "project": "."}
    found, managers = rehearse(stage, monkeypatch, None, None, record=record, more=given)
    assert (found["plays"], found["act"]["writable"]) == (True, ["db.sqlite3"])
    assert found["because"]["writable"] == ["the database file 'db.sqlite3' lies in the code, which is sealed"]
    assert found["lacking"] == (["writable"] if given else [])
    assert managers.orders[2].manifest.acts["kittens"].migrate, "it is the rehearsal's own"


@pytest.mark.parametrize("writable", ["db.sqlite3", "data/"])
def test_a_database_in_the_code_that_may_be_written(
    stage: House, monkeypatch: pytest.MonkeyPatch, writable: str
) -> None:
    name = writable if writable.endswith("3") else "data/db.sqlite3"
    given = {"name": "kittens", "source": {"path": "/kittens"}, "writable": [writable]}
    record = {"databases": {"default": {**SQLITE, "name": "{code}/" + name}}, "project": "."}
    found, _managers = rehearse(stage, monkeypatch, None, record=record, more={"acts": [given]})
    assert (found["plays"], found["act"]["writable"], found["because"]) == (True, [writable], {})


def test_what_is_said_of_an_act_that_plays(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that the fork ends, say."""
    made = Managers(stage, [None], warnings=["act kittens: the thread 'x' was started while the Act was loaded"])
    monkeypatch.setattr(production, "carry_out", made.carry_out)
    monkeypatch.setattr(production, "ask", made.ask)
    assert rehearsals.Rehearsal(options(stage)).run().warnings == made.warnings


def test_what_a_deploy_would_warn_of(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "check", lambda order: Outcome(warnings=["act kittens: the release is held"]))
    monkeypatch.setattr(production, "carry_out", Managers(stage, [None]).carry_out)
    monkeypatch.setattr(production, "ask", Managers(stage, [None]).ask)
    assert rehearsals.Rehearsal(options(stage, **EXACT)).run().warnings == ["act kittens: the release is held"]


@pytest.mark.parametrize(("text", "warned"), [("Django\nuWSGI==2.0.28\n", 1), ("Django\nuwsgi-tools\n", 0)])
def test_a_server_among_the_requirements(stage: House, monkeypatch: pytest.MonkeyPatch, text: str, warned: int) -> None:
    monkeypatch.setitem(FILES, "requirements.txt", text)
    monkeypatch.setattr(production, "carry_out", Managers(stage, [None]).carry_out)
    monkeypatch.setattr(production, "ask", Managers(stage, [None]).ask)
    found = rehearsals.Rehearsal(options(stage)).run()
    assert found.warnings == [f"act kittens: {rehearsals.SUPERFLUOUS}"] * warned


def test_an_act_of_the_manifest(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is the real Production's, and what is pending is so for the live Act's database."""
    monkeypatch.setattr(commands, "applied_migrations", lambda production, act: [[production, act]])
    looks = {"pending": ["a.0002"], "warnings": ["security.W009: weak"]}
    found, managers = rehearse(stage, monkeypatch, None, looks=looks, record={"debug": True}, more=EXACT)
    assert (found["plays"], found["lacking"], found["pending"]) == (True, [], ["a.0002"])
    assert managers.asked == [[["cats", "kittens"]]]
    assert [(step["noun"], step["verb"]) for step in found["plan"]] == [
        ("act", "build"),
        ("act", "migrate"),
        ("sess", "play"),
        ("act", "add"),
        ("venue", "add"),
        ("gig", "book"),
    ]
    assert not os.path.exists(layout.Production("cats").root)


def test_a_deploy_that_would_be_refused(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Act plays, and could not be booked: somebody else has its name."""
    planned = Outcome(errors=[BackstageError("the name belongs to another", "act kittens", "booking")])
    monkeypatch.setattr(production, "check", lambda order: planned)
    found, _managers = rehearse(stage, monkeypatch, None, more=EXACT)
    assert (found["plays"], found["error"]) == (True, "the name belongs to another")
    assert "act kittens, booking on " in found["missing"][0]


def test_an_act_that_does_not_play_yet(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, managers = rehearse(stage, monkeypatch, None, more=EXACT)
    assert (found["plays"], found["pending"], managers.asked) == (True, [], [None])


def test_a_manifest_that_lacks_a_line(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ("gate", "/ answers 400 to the host 'kittens.example.com'")
    other = {"name": "dogs", "source": {"path": "/dogs"}}
    given = {"name": "kittens", "source": {"path": "/kittens"}, "writable": ["x"]}
    found, _managers = rehearse(stage, monkeypatch, refused, None, more={**EXACT, "acts": [other, given]})
    assert found["plays"]
    assert {*found["lacking"]} == {"files", "settings"}
    assert found["verdict"].startswith("act kittens: it plays with lines that the manifest lacks (")
    assert "ALLOWED_HOSTS" in found["verdict"]


def test_a_manifests_database_is_not_changed_for_another(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ("migrate", 'connection to server at "db", port 5432 failed: Connection refused')
    found, _managers = rehearse(stage, monkeypatch, refused, more=EXACT)
    assert (found["plays"], found["lacking"]) == (False, [])
    assert found["error"].startswith("the database does not answer")
    found, _managers = rehearse(stage, monkeypatch, refused, None)
    assert found["act"]["database"] == {"engine": "sqlite"}


def test_a_seed_that_failed_is_tried_again(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next line, and only that one: others would be there twice."""
    stage.log({"event": "seed started", "seed": "one"}, {"event": "seed started", "seed": "fixture a.json"})
    stage.log({"event": "seed started", "seed": "two"}, {"event": "seed done", "seed": "two"})
    seeds = [{"name": name, "run": "x"} for name in ("one", "two", "three")]
    given = {"name": "kittens", "source": {"path": "/kittens"}, "fixtures": ["a.json"], "seed": seeds}
    _found, managers = rehearse(stage, monkeypatch, None, more={"acts": [given]})
    assert managers.orders[2].seeds == {"one": "again", "fixture a.json": "again"}


def test_django_that_can_not_be_asked(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_args: Any) -> dict[str, Any]:
        raise BackstageError("it has its own ideas", step="check")

    managers = Managers(stage, [None])
    monkeypatch.setattr(production, "carry_out", managers.carry_out)
    monkeypatch.setattr(production, "ask", ask)
    found = rehearsals.Rehearsal(options(stage, **EXACT)).run()
    assert found.plays
    assert found.missing == ["Django could not be asked for its warnings: it has its own ideas"]


@pytest.fixture
def leftover() -> Iterator[process.User]:
    """A user of a rehearsal that was killed before anything else was made."""
    name = names.player(names.REHEARSAL, f"u{os.getpid()}")
    yield users.ensure(name, "/nonexistent", f"{names.REHEARSAL} u player")
    users.remove(name)


def test_it_leaves_nothing_when_it_is_interrupted(
    stage: House, monkeypatch: pytest.MonkeyPatch, leftover: process.User
) -> None:
    orders: list[Order] = []

    def carry_out(order: Order) -> Outcome:
        orders.append(order)
        if not order.strike:
            raise KeyboardInterrupt
        return Outcome()

    os.makedirs(stage.act("old").root)
    monkeypatch.setattr(production, "carry_out", carry_out)
    with pytest.raises(KeyboardInterrupt):
        rehearsals.Rehearsal(options(stage)).run()
    assert [order.strike for order in orders] == [True, False, True]
    assert orders[0].delete_data == {"old"}, "what a killed one left"
    assert users.find(leftover.name) is None
    assert not os.path.exists(rehearsals.REHEARSAL_LOCK)


def test_what_does_not_go_is_said(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Outcome(errors=[BackstageError("it stays", step="stop")])
    monkeypatch.setattr(production, "carry_out", lambda order: stuck)
    assert told(rehearsals.Rehearsal(options(stage)).run) == "it stays"


def test_a_host_without_a_stage(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (stage.root / "etc" / "stage.json").unlink()
    assert "this host has no stage" in told(rehearsals.Rehearsal(options(stage)).run)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from django.core.management import execute_from_command_line", ["cats-admin"]),
        ("from django.core.management import ManagementUtility\nManagementUtility().execute()", ["cats-admin"]),
        ("print('miaow')", []),
    ],
)
def test_console_scripts_that_manage_a_project(tmp_path: Path, code: str, found: list[str]) -> None:
    information = tmp_path / "cats-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: cats\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[console_scripts]\ncats-admin = cats:main\ngone = gone:main\n")
    (tmp_path / "cats.py").write_text(code)
    argv = ["/usr/bin/python3", "-c", rehearsals._COMMANDS]
    ran = subprocess.run(argv, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == found
