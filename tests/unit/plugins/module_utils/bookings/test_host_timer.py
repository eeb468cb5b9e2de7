# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts a program of the host: a timer of systemd, or cron."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import host_timer
from ansible_collections.backstage.django.plugins.module_utils.bookings.host_timer import HostTimer
from ansible_collections.backstage.django.plugins.module_utils.host import programs
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.stages import timers

TIMER = HostTimer("backstage-certificates", "/usr/local/sbin/backstage-certificates", "7 * * * *", "certificate")
SYSTEMCTL = """#!/bin/sh
echo "$@" >> {log}
case $1 in
  enable) ln -sf x {wants}/backstage-certificates.timer; touch {active} ;;
  disable) rm -f {active} {wants}/backstage-certificates.timer ;;
  is-active) test -e {active} ;;
esac
"""


@pytest.fixture
def cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(timers, "SYSTEMD", str(tmp_path / "nothing"))
    monkeypatch.setattr(timers, "CRON", str(tmp_path))
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/bin/true")
    return tmp_path / "backstage-certificates"


def test_cron(cron: Path) -> None:
    assert not TIMER.is_on
    TIMER.switch(False)
    TIMER.switch(True)
    assert TIMER.is_on
    *_variables, line = cron.read_text().splitlines()
    assert line == ("7 * * * * root /usr/local/sbin/backstage-certificates 2>&1 | logger -t backstage-certificates")
    cron.write_text("# changed by hand")
    assert not TIMER.is_on
    TIMER.switch(True)
    assert TIMER.is_on
    TIMER.switch(False)
    assert not cron.exists()


@pytest.mark.usefixtures("cron")
def test_a_host_without_cron(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "CRON_PROGRAM", "/nonexistent")
    with pytest.raises(BackstageError, match="PID 1 is not systemd, and cron is missing: install the package cron"):
        TIMER.switch(True)


def switches(log: Path) -> list[str]:
    """Return what systemctl was told to do, without what it was asked."""
    return [line for line in log.read_text().splitlines() if not line.startswith("is-active")]


def test_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A systemctl of the test's own: there is no systemd in its namespaces."""
    wants, log = tmp_path / "timers.target.wants", tmp_path / "log"
    wants.mkdir()
    (tmp_path / "bin").mkdir()
    systemctl = tmp_path / "bin/systemctl"
    systemctl.write_text(SYSTEMCTL.format(log=log, wants=wants, active=tmp_path / "active"))
    systemctl.chmod(0o755)
    asked = programs.ask
    monkeypatch.setattr(programs, "ask", lambda *words: asked(str(systemctl), *words[1:]))
    monkeypatch.setattr(timers, "SYSTEMD", str(tmp_path))
    monkeypatch.setattr(timers, "UNITS", str(tmp_path))
    monkeypatch.setattr(timers, "STAMPS", str(tmp_path))
    stamp = tmp_path / "stamp-backstage-certificates.timer"
    stamp.touch()
    for on in (True, True, False, False):
        TIMER.switch(on)
        assert TIMER.is_on is on
    assert not stamp.exists()
    unit = "backstage-certificates.timer"
    assert switches(log) == [f"enable --now --quiet {unit}", f"disable --now --quiet {unit}"]
    TIMER.switch(True)
    (tmp_path / "active").unlink()
    assert not TIMER.is_on, "a hand has stopped it"
    TIMER.switch(True)
    assert TIMER.is_on
    TIMER.switch(False)
    systemctl.write_text("#!/bin/sh\necho no such unit >&2\nexit 1\n")
    with pytest.raises(BackstageError, match=f"systemctl enable --now --quiet {unit} failed: no such unit"):
        TIMER.switch(True)


def test_a_minute_of_the_host() -> None:
    assert 0 <= host_timer.minute_of_host() < 60
    assert host_timer.minute_of_host() == host_timer.minute_of_host()
