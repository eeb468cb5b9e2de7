# SPDX-License-Identifier: GPL-3.0-or-later
"""Timers of an Act: their units, which systemd-analyze reads, and their cron lines, which a shell runs."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Timer
from ansible_collections.backstage.django.plugins.module_utils.productions import logs, reports
from ansible_collections.backstage.django.plugins.module_utils.stages import timers
from ansible_collections.backstage.django.plugins.module_utils.stages.timers import Timers
from waiting import eventually

from ...crews import ROLE
from ...house import KITTENS, House, wanted

NIGHTLY = Timer("nightly", manage="clearsessions -v0", at="03:05")
SHOW = Timer("show", run="show '{data}'", every="minute")
# in the place of systemctl, which needs a running systemd: writes down what it is asked, and makes the link of enable
SYSTEMCTL = """#!/bin/sh
echo "$@" >>{place}/asked
[ "$1" != "{fails}" ] || {{ echo killed >&2; exit 1; }}
case "$1" in
enable) ln -sf "{place}/units/$3" "{place}/units/timers.target.wants/$3" ;;
disable) rm -f "{place}/units/timers.target.wants/$4" ;;
esac
"""
PROGRAM = """#!/bin/sh
echo "shown to $(id -un) with $KITTENS_KEY: $1"
while [ -e "$1/slow" ]; do sleep 0.1; done
exit ${STATUS:-0}
"""
WANT = wanted(replace(KITTENS, secrets={"KITTENS_KEY": "purrpurr"}))


@pytest.fixture
def prepared(crewed: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A host whose Act plays; without systemd and with cron."""
    for name in ("units/timers.target.wants", "cron.d", "stamps", "bin"):
        (crewed.root / name).mkdir(parents=True)
    for name, place in (("UNITS", "units"), ("CRON", "cron.d"), ("STAMPS", "stamps"), ("SYSTEMD", "systemd")):
        monkeypatch.setattr(timers, name, str(crewed.root / place))
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/bin/true")
    shutil.copytree(ROLE, crewed.host.wrapper, ignore=shutil.ignore_patterns("__pycache__", "*.conf"))
    crewed.build(WANT.release)
    crewed.record(WANT)
    sess = crewed.act().sess(crewed.play(WANT))
    os.symlink(crewed.act().release(WANT.release).root, sess.release)
    for path in (crewed.root, crewed.root / "srv", *map(Path, (crewed.paths.root, crewed.paths.acts))):
        path.chmod(0o755)
    own = crewed.act()
    player = process.User.named(names.player(crewed.production, "kittens"))
    for path in (own.data, own.media):
        os.makedirs(path, exist_ok=True)
        os.chown(path, player.uid, player.gid)
    programs = Path(crewed.paths.environment("e" * 16), "bin")
    programs.mkdir(parents=True)
    (programs / "show").write_text(PROGRAM)
    (programs / "show").chmod(0o755)
    return crewed


@pytest.fixture
def systemd(prepared: House, monkeypatch: pytest.MonkeyPatch) -> House:
    (prepared.root / "systemd").mkdir()
    fails_at(prepared, "")
    (prepared.root / "bin" / "systemctl").chmod(0o755)
    monkeypatch.setattr(process, "PATH", f"{prepared.root}/bin:{process.PATH}")
    return prepared


def fails_at(house: House, verb: str) -> None:
    """Have systemctl fail where a run would be killed; empty for nowhere."""
    (house.root / "bin" / "systemctl").write_text(SYSTEMCTL.format(place=house.root, fails=verb))


def planned(house: House, of: Sequence[Timer]) -> list[tuple[str, str, object, object]]:
    steps = [change.step for change in timers.plan(of, house.state(), house.host)]
    return [(step.verb, step.name, step.before, step.after) for step in steps]


def carry_out(house: House, of: Sequence[Timer]) -> None:
    for change in timers.plan(of, house.state(), house.host):
        assert change.make
        change.make()


def asked(house: House) -> list[str]:
    path = house.root / "asked"
    found = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def everywhere(house: House) -> list[str]:
    """The files and links of timers outside the Act's directory."""
    places = [path for name in ("units", "cron.d", "stamps") for path in (house.root / name).rglob("*")]
    return sorted(path.name for path in places if not path.is_dir() or path.is_symlink())


def test_its_life_with_systemd(systemd: House) -> None:
    unit = f"backstage.{systemd.production}.kittens.nightly"
    when = "at 03:05: clearsessions -v0"
    assert planned(systemd, [NIGHTLY]) == [("add", "kittens/nightly", None, when)]
    carry_out(systemd, [NIGHTLY])
    assert asked(systemd) == ["daemon-reload", f"restart {unit}.timer", f"enable --quiet {unit}.timer"]
    assert everywhere(systemd) == [f"{unit}.service", f"{unit}.timer", f"{unit}.timer"]
    assert planned(systemd, [NIGHTLY]) == [], "and nothing is left to be done"
    later = replace(NIGHTLY, at="04:05")
    assert planned(systemd, [later]) == [("change", "kittens/nightly", when, "at 04:05: clearsessions -v0")]
    (systemd.root / "units" / "timers.target.wants" / f"{unit}.timer").unlink()
    assert [verb for verb, *_rest in planned(systemd, [NIGHTLY])] == ["change"], "somebody has disabled it"
    carry_out(systemd, [NIGHTLY])
    (systemd.root / "stamps" / f"stamp-{unit}.timer").touch()
    asked(systemd)
    assert planned(systemd, []) == [("remove", "kittens/nightly", when, None)]
    carry_out(systemd, [])
    assert asked(systemd) == [
        f"disable --now --quiet {unit}.timer",
        f"stop {unit}.service",
        f"reset-failed {unit}.service",
        "daemon-reload",
    ]
    assert everywhere(systemd) == []
    assert Timers(systemd.act(), systemd.host).known() == []


@pytest.mark.parametrize("verb", ["daemon-reload", "restart", "enable"])
def test_fault_02_killed_before_systemd_knows_it(systemd: House, verb: str) -> None:
    """The next run goes on, also where only its time was changed: systemd still has the old one."""
    fails_at(systemd, verb)
    with pytest.raises(BackstageError, match=verb):
        carry_out(systemd, [NIGHTLY])
    assert [step for step, *_rest in planned(systemd, [NIGHTLY])] == ["change"]
    fails_at(systemd, "")
    carry_out(systemd, [NIGHTLY])
    assert planned(systemd, [NIGHTLY]) == []
    later = replace(NIGHTLY, at="04:05")
    fails_at(systemd, verb)
    with pytest.raises(BackstageError, match=verb):
        carry_out(systemd, [later])
    assert [step for step, *_rest in planned(systemd, [later])] == ["change"]


@pytest.mark.parametrize("verb", ["disable", "stop", "daemon-reload"])
def test_fault_02_killed_while_it_is_removed(systemd: House, verb: str) -> None:
    """The next run goes on, so that systemd forgets it, and when it last ran."""
    carry_out(systemd, [NIGHTLY])
    unit = f"backstage.{systemd.production}.kittens.nightly"
    (systemd.root / "stamps" / f"stamp-{unit}.timer").touch()
    fails_at(systemd, verb)
    with pytest.raises(BackstageError, match=verb):
        carry_out(systemd, [])
    fails_at(systemd, "")
    asked(systemd)
    carry_out(systemd, [])
    assert "daemon-reload" in asked(systemd)
    assert everywhere(systemd) == []
    assert Timers(systemd.act(), systemd.host).known() == []


TIMES = [
    # (when, the next two times after half past seven and thirty seconds on a Monday)
    ({"every": "minute"}, ["2026-11-30 07:31:00", "2026-11-30 07:32:00"]),
    ({"every": "quarter"}, ["2026-11-30 07:45:00", "2026-11-30 08:00:00"]),
    ({"every": "hour"}, ["2026-11-30 08:00:00", "2026-11-30 09:00:00"]),
    ({"every": "day"}, ["2026-12-01 00:00:00", "2026-12-02 00:00:00"]),
    ({"every": "week"}, ["2026-12-07 00:00:00", "2026-12-14 00:00:00"]),
    ({"every": "month"}, ["2026-12-01 00:00:00", "2027-01-01 00:00:00"]),
    ({"every": "year"}, ["2027-01-01 00:00:00", "2028-01-01 00:00:00"]),
    ({"at": "07:31"}, ["2026-11-30 07:31:00", "2026-12-01 07:31:00"]),
    ({"at": "00:05"}, ["2026-12-01 00:05:00", "2026-12-02 00:05:00"]),
]


@pytest.mark.parametrize(("when", "times"), TIMES)
def test_when_systemd_starts_it(when: dict[str, str], times: list[str]) -> None:
    calendar, _fields = timers._when(Timer("t", manage="t", **when))
    words = ["systemd-analyze", "calendar", "--iterations=2", "--base-time=2026-11-30 07:30:30", calendar]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    lines = [line for line in done.stdout.splitlines() if "Next elapse" in line or "Iter. #2" in line]
    assert [time in line for time, line in zip(times, lines)] == [True, True], done.stdout


def test_systemd_knows_every_line_of_its_units(systemd: House) -> None:
    carry_out(systemd, [NIGHTLY, SHOW])
    units = [str(path) for path in (systemd.root / "units").glob("backstage.*")]
    assert len(units) == 4
    done = subprocess.run(["systemd-analyze", "verify", *units], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    service = next(Path(path).read_text() for path in units if path.endswith("show.service"))
    assert "{" not in service
    assert "purrpurr" not in service
    assert f"User={names.player(systemd.production, 'kittens')}\n" in service


FIELDS = [
    ({"every": "minute"}, "* * * * *"),
    ({"every": "quarter"}, "*/15 * * * *"),
    ({"every": "hour"}, "0 * * * *"),
    ({"every": "day"}, "0 0 * * *"),
    ({"every": "week"}, "0 0 * * 1"),
    ({"every": "month"}, "0 0 1 * *"),
    ({"every": "year"}, "0 0 1 1 *"),
    ({"at": "03:05"}, "5 3 * * *"),
]


@pytest.mark.parametrize(("when", "fields"), FIELDS)
def test_when_cron_starts_it(when: dict[str, str], fields: str) -> None:
    assert timers._when(Timer("t", manage="t", **when))[1] == fields


def cron_line(house: House) -> str:
    """The command of the only cron file, as cron gives it to a shell."""
    (path,) = (house.root / "cron.d").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert "." not in path.name, "cron would ignore it"
    return path.read_text().splitlines()[-1].split(" root ", 1)[1]


def test_without_systemd(prepared: House) -> None:
    """As the player, with the release that plays; what it prints and how it ends is seen in logs and status."""
    carry_out(prepared, [SHOW])
    assert planned(prepared, [SHOW]) == []
    player, data = names.player(prepared.production, "kittens"), prepared.act().data
    subprocess.run(["/bin/sh", "-c", cron_line(prepared)], check=True)
    assert f"shown to {player} with purrpurr: {data}\n" in Path(prepared.act().crew_log).read_text()
    (line,) = reports.report(prepared.production)["timers"]
    assert line.startswith(f"timer: act kittens, show, {SHOW.when}: ended with status 0, ")
    logged = {log["title"]: log["lines"] for log in logs.report(prepared.production, "kittens", 10, None)["logs"]}
    assert f"shown to {player} with ********: {data}" in logged["kittens, workers and timers"]
    carry_out(prepared, [])
    assert (everywhere(prepared), reports.report(prepared.production)["timers"]) == ([], [])


def test_one_that_runs_is_not_started_again(prepared: House) -> None:
    carry_out(prepared, [SHOW])
    slow = Path(prepared.act().data, "slow")
    slow.touch()
    with subprocess.Popen(["/bin/sh", "-c", cron_line(prepared)]) as running:
        eventually(lambda: Timers(prepared.act(), prepared.host).is_running("show"))
        (line,) = reports.report(prepared.production)["timers"]
        assert ": running since " in line
        subprocess.run(["/bin/sh", "-c", cron_line(prepared)], check=True)
        assert "left out this time: the last one still runs" in Path(prepared.act().crew_log).read_text()
        slow.unlink()
        assert running.wait(100) == 0


def test_one_that_fails(prepared: House) -> None:
    carry_out(prepared, [SHOW])
    Path(prepared.act().sess(prepared.state().live or "").env, "STATUS").write_text("3\n")
    assert subprocess.run(["/bin/sh", "-c", cron_line(prepared)], check=False).returncode == 3
    (line,) = reports.report(prepared.production)["timers"]
    assert f"{SHOW.when}: FAILED, ended with status 3, {time.strftime('%Y-')}" in line
    found = reports.report(prepared.production)["acts"]["kittens"]["timers"]["show"]
    assert (found["running"], found["last_status"]) == (False, 3)


MISSING = [
    ("CRON_PROGRAM", "PID 1 is not systemd, and cron is missing: install the package cron"),
    ("PROGRAM", "this host's stage is of an earlier Backstage"),
]


@pytest.mark.parametrize(("what", "said"), MISSING)
def test_what_it_needs(prepared: House, monkeypatch: pytest.MonkeyPatch, what: str, said: str) -> None:
    monkeypatch.setattr(timers, what, "/nonexistent")
    with pytest.raises(BackstageError, match=said):
        carry_out(prepared, [NIGHTLY])
    assert everywhere(prepared) == []


def test_fault_95_what_a_hand_has_changed(systemd: House) -> None:
    of = replace(WANT, act=replace(WANT.act, timers=[NIGHTLY]))
    carry_out(systemd, [NIGHTLY])
    systemd.record(of)
    assert [one for one in reports.report(systemd.production)["drift"] if "timer" in one["where"]] == []
    service = next((systemd.root / "units").glob("*.service"))
    service.write_text(service.read_text().replace("Nice=5", "Nice=0"))
    (drift,) = [one for one in reports.report(systemd.production)["drift"] if "timer" in one["where"]]
    assert (drift["where"], drift["found"]) == ("timer nightly", "changed by hand, or made by an earlier Backstage")
    assert [verb for verb, *_rest in planned(systemd, [NIGHTLY])] == ["change"]


def test_fault_92_log_directory_removed(systemd: House) -> None:
    """systemd and cron start nothing without it, and the program could not say so: the next run brings it back."""
    carry_out(systemd, [NIGHTLY])
    shutil.rmtree(systemd.paths.logs)
    when = "at 03:05: clearsessions -v0"
    assert planned(systemd, [NIGHTLY]) == [("change", "kittens/nightly", when, when)]
    carry_out(systemd, [NIGHTLY])
    assert os.path.exists(systemd.act().crew_log)
    assert planned(systemd, [NIGHTLY]) == []


def test_fault_94_many_acts_ask_systemd_for_nothing(systemd: House) -> None:
    """A run that has nothing to do starts no program for any timer."""
    several = [replace(NIGHTLY, name=f"nightly-{number}") for number in range(50)]
    carry_out(systemd, several)
    asked(systemd)
    assert planned(systemd, several) == []
    assert asked(systemd) == []


def test_systemctl_that_fails(systemd: House) -> None:
    (systemd.root / "bin" / "systemctl").write_text("#!/bin/sh\necho Access denied >&2\nexit 1\n")
    with pytest.raises(BackstageError, match=r"systemctl daemon-reload failed: Access denied"):
        carry_out(systemd, [NIGHTLY])
