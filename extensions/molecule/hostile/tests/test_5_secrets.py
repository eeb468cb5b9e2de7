# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is in no output of a run, in no process list, and in no file but the Act's own."""

from __future__ import annotations

import json
import secrets
import subprocess
from pathlib import Path

import pytest
from hostile.stranger import WATCH, Stranger

PLACES = "/etc /home /opt /root /run /srv /tmp /usr/local /var"
FAILING = """shell -c 'import os; raise ValueError("it failed with " + os.environ["SECRET_KEY"])'"""


def mark() -> str:
    return f"marker-{secrets.token_hex(16)}"


def test_fault_51_no_output_shows_a_secret(stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -vvv, with --diff, of a step that fails with the secret, and in Ansible's own log."""
    log, secret = tmp_path / "ansible.log", mark()
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))
    seed = {"name": secret[-6:], "run": FAILING}
    run = stranger.play("evil", "-vvv", "--diff", secrets={"SECRET_KEY": secret}, seed=[seed])
    assert run.code != 0
    assert "it failed with ********" in run.printed
    assert secret not in run.printed
    assert secret not in log.read_text()


def test_fault_52_no_process_list_shows_a_secret(stranger: Stranger) -> None:
    secret = mark()
    watch = subprocess.Popen(
        stranger.host.command("/usr/bin/python3", "-c", WATCH), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert watch.stdin
    assert watch.stdout
    watch.stdin.write(secret + "\n")
    watch.stdin.flush()
    assert watch.stdout.readline() == "open\n"
    assert stranger.play("evil", secrets={"SECRET_KEY": secret}, refresh=secret[-6:]).code == 0
    looks, seen = json.loads(watch.communicate("end\n", timeout=30)[0])
    assert looks > 20
    assert seen == [], "a command line had it, or an environment that its player and builder are not alone to read"


def test_fault_53_no_file_but_the_acts_own_has_the_secret(stranger: Stranger) -> None:
    old, secret = mark(), mark()
    for value in (old, secret):
        assert stranger.play("evil", secrets={"SECRET_KEY": value}).code == 0
    found = stranger.host.sh(f"LC_ALL=C grep -rlsF --devices=skip -e {old} -e {secret} {PLACES} || true").splitlines()
    live = stranger.host.sh("readlink -f /srv/backstage/jazz/acts/evil/live").strip()
    assert found == [f"{live}/env/SECRET_KEY"]
    assert stranger.host.sh(f"stat -c '%a %U %G' {found[0]}") == "640 root jazz-evil\n"
    assert stranger.host.sh(f"stat -c '%a %U %G' {live}/env") == "750 root jazz-evil\n"
    assert stranger.host.sh(f"journalctl --no-pager | grep -c {secret} || true").strip() == "0"


def test_fault_54_uwsgi_shows_no_secret(stranger: Stranger) -> None:
    secret = mark()
    assert stranger.play("evil", secrets={"SECRET_KEY": secret}).code == 0
    live = "/srv/backstage/jazz/acts/evil/live"
    shown = stranger.host.sh(f"uwsgi-core --show-config --ini {live}/uwsgi.ini --no-server 2>&1 || true")
    assert "jazz-evil" in shown
    stats = stranger.host.sh("stat -c '%a %U' /run/backstage/emperor.stats /run/backstage")
    assert stats == "700 root\n700 root\n"
    asked = "import socket; s = socket.socket(1); s.connect('/run/backstage/emperor.stats'); print(s.makefile().read())"
    said = stranger.host.run("/usr/bin/python3", "-c", asked)
    assert '"vassals"' in said
    for text in (shown, said):
        assert secret not in text
