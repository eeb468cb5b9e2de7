# SPDX-License-Identifier: GPL-3.0-or-later
"""Services as systemd and as scripts know them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import process, processes, programs, services
from ansible_collections.backstage.django.plugins.module_utils.host.services import Service
from waiting import eventually

SHOWN = "LoadState={}\nActiveState={}\nUnitFileState={}\nMainPID={}\nNeedDaemonReload={}\n"
OF_SYSTEMD = [
    # (what systemd shows, known, enabled, running, reread)
    (("loaded", "active", "enabled", "0", "no"), (True, True, True, False)),
    (("loaded", "reloading", "enabled", "0", "yes"), (True, True, True, True)),
    (("loaded", "failed", "disabled", "0", "no"), (True, False, False, False)),
    (("not-found", "inactive", "", "0", "no"), (False, False, False, False)),
    (("masked", "inactive", "masked", "0", "no"), (False, False, False, False)),
]


def shown(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    """The unit tests have no systemd."""
    monkeypatch.setattr(programs, "ask", lambda *_argv: process.Result(0, SHOWN.format(*values), ""))


@pytest.mark.parametrize(("values", "found"), OF_SYSTEMD)
def test_under_systemd(
    monkeypatch: pytest.MonkeyPatch, values: tuple[str, ...], found: tuple[bool, bool, bool, bool]
) -> None:
    shown(monkeypatch, *values)
    known, enabled, running, reread = found
    assert Service("nginx").state(systemd=True) == {
        "known": known,
        "enabled": enabled,
        "running": running,
        "reread": reread,
        "stale": False,
    }


def test_stale_is_what_runs_and_started_before_its_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "emperor.ini"
    file.touch()
    service = Service("backstage-emperor", files=[str(file)])
    shown(monkeypatch, "loaded", "active", "enabled", str(os.getpid()), "no")
    assert service.state(systemd=True)["stale"]
    os.utime(file, (0, 0))
    assert not service.state(systemd=True)["stale"]


def test_only_workers_that_serve_count() -> None:
    """A worker that is leaving has read the old files, and may."""
    script = "import time; time.sleep(60)"
    titles = ["worker process", "worker process is shutting down", "cache manager process"]
    children = [subprocess.Popen([sys.executable, "-c", script, title]) for title in titles]
    try:
        eventually(lambda: all(processes.text_of(f"/proc/{child.pid}/cmdline") for child in children))
        assert services.serving(os.getpid(), "worker process") == [children[0].pid]
    finally:
        for child in children:
            child.kill()
            child.wait()


@pytest.mark.parametrize(("code", "running"), [(0, True), (3, False)])
def test_without_systemd(tmp_path: Path, code: int, running: bool) -> None:
    """A real script, in the unit tests' own /etc."""
    pidfile, script, link = tmp_path / "pid", Path("/etc/init.d/tuba"), Path("/etc/rc3.d/S01tuba")
    service = Service("tuba", pidfile=str(pidfile))
    for path in (script, link):
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
    state = {"known": False, "enabled": False, "running": False, "reread": False, "stale": False}
    assert service.state(systemd=False) == state
    script.write_text(f"#!/bin/sh\nexit {code}\n")
    script.chmod(0o755)
    pidfile.write_text(f"{os.getpid()}\n")
    try:
        assert service.state(systemd=False) == {**state, "known": True, "running": running}
        link.symlink_to(script)
        assert service.state(systemd=False) == {**state, "known": True, "enabled": True, "running": running}
    finally:
        script.unlink()
        link.unlink()
