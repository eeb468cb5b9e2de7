# SPDX-License-Identifier: GPL-3.0-or-later
"""Management commands run beside the live Sess, with its variables and as its player, and block nothing."""

from __future__ import annotations

import json
from typing import Any

from faults.controller import Run
from street import CORNER, Street, pleased

WORLD = (
    "import json, os, sys; print(json.dumps({'env': dict(os.environ), 'cwd': os.getcwd(), 'uid': os.getuid(),"
    " 'groups': sorted(os.getgroups()), 'executable': sys.executable}))"
)
ADDED = {"PATH", "VIRTUAL_ENV", "PYTHONUNBUFFERED"}
# variables that systemd sets for the emperor, and that vassals inherit
OWN = {"INVOCATION_ID", "RUNTIME_DIRECTORY", "SYSTEMD_EXEC_PID", "NOTIFY_SOCKET", "LANG"}


def manage(street: Street, *options: str, host: int = 0, **extra: Any) -> Run:
    return street.try_to_play("manage", *options, on=street.hosts[host], act="busker", **extra)


def test_a_command_has_the_environment_of_the_sess(street: Street) -> None:
    """It has the same variables, directory and user. No output shows the secret."""
    secret = street.acts["busker"]["secrets"]["SECRET_KEY"]
    for number, host in enumerate(street.hosts):
        answered = street.ask(CORNER, "/variables/")[number].json()
        played = {name: bytes.fromhex(value).decode() for name, value in answered.items()}
        run = manage(street, host=number, run=f'shell -c "{WORLD}"')
        assert run.code == 0, run.printed
        assert secret not in run.printed
        assert secret not in json.dumps(run.results)
        world = json.loads(run.last["stdout_lines"][-1])
        expected = {**played, "SECRET_KEY": "********"}
        ours = {name: value for name, value in world["env"].items() if name not in ADDED}
        theirs = {name: value for name, value in expected.items() if name in ours or name not in {*OWN, "PATH"}}
        assert ours == {name: value for name, value in theirs.items() if not name.startswith("UWSGI_")}
        release = f"/srv/backstage/street/acts/busker/releases/{played['BACKSTAGE_RELEASE']}"
        assert world["cwd"] == f"{release}/code"
        assert world["uid"] == int(host.run("id", "-u", "street-busker"))
        assert world["executable"].startswith("/srv/backstage/street/environments/")


def test_only_commands_that_may_change_something_report_a_change(street: Street) -> None:
    assert manage(street, run="showmigrations --plan").changed == 0
    assert manage(street, run="migrate").changed == 1
    assert manage(street, run="migrate", changes=False).changed == 0
    assert "[X]  busker.0001_initial" in manage(street, run="showmigrations --plan").printed


def test_check_mode_runs_only_commands_that_read(street: Street) -> None:
    code = "import os; open(os.environ['BACKSTAGE_DATA'] + '/touched', 'w')"
    planned = manage(street, "--check", run=f'shell -c "{code}"')
    assert (planned.code, planned.changed) == (0, 1)
    assert "check mode; this would be run: /srv/backstage/street/environments/" in planned.printed
    assert not street.hosts[0].ok("test -e /srv/backstage/street/acts/busker/data/touched")
    assert "[X] 0001_initial" in manage(street, "--check", run="showmigrations").printed
    assert "done it" in manage(street, "--check", run="shell -c \"print('done it')\"", changes=False).printed


def test_an_exit_code_fails_with_its_cause(street: Street) -> None:
    run = manage(street, run="loaddata nowhere.json")
    assert run.code != 0
    assert run.message.startswith(
        "act busker, manage on h1: 'loaddata nowhere.json' ended with status 1: CommandError: No"
    )
    assert run.last["rc"] == 1
    asked = manage(street, run='shell -c "input()"')
    assert "it asks, and nobody can answer" in asked.message
    ended = manage(street, run='shell -c "import time; time.sleep(60)"', timeout=2)
    assert "was killed after 2 s: raise 'timeout'" in ended.message
    assert not street.hosts[0].ok("pgrep -u street-busker -f time.sleep")


def test_a_command_without_quotes_is_refused(street: Street) -> None:
    """Ansible would pass on only its first word."""
    words = ["-e", "act=busker", "-e", "run=migrate busker zero"]
    run = street.try_to_play("manage", *words, on=street.hosts[0])
    assert run.code != 0
    assert "A command with arguments needs its own quotes" in run.message


def test_acts_without_a_sess(street: Street) -> None:
    street.acts["silent"] = {
        "source": dict(street.acts["busker"]["source"]),
        "secrets": {"SECRET_KEY": "silent-key-7fa1"},
    }
    street.play()
    silent = street.try_to_play("manage", on=street.hosts[0], act="silent", run="check")
    nobody = street.try_to_play("manage", on=street.hosts[0], act="nobody", run="check")
    assert (
        "act silent, manage on h1: it is built and does not play, and a command needs the variables of a Sess"
        in silent.message
    )
    assert nobody.message.endswith("it is no Act of the Production 'street' here; known: busker, juggler, silent")


def test_a_deploy_does_not_wait_for_a_command(street: Street) -> None:
    """A long command holds no lock, and ends in the release in which it began."""
    end = "/srv/backstage/street/acts/busker/data/end"
    wait = f"[time.sleep(0.1) for _try in range(3000) if not os.path.exists('{end}')]"
    code = f"import os, time; from busker.edition import EDITION; {wait}; print('ended in', EDITION)"
    before = street.ask(CORNER)[0].json()["edition"]
    running = street.start("manage", on=street.hosts[0], act="busker", run=f'shell -c "{code}"')
    street.hosts[0].sh(
        "for n in $(seq 600); do pgrep -u street-busker -f time.sleep && exit 0; sleep 0.1; done; exit 1"
    )
    street.acts["busker"]["source"]["version"] = "v2" if before != "two" else "v1"
    with street.visited(f"{CORNER}/") as seen:
        street.play()
        assert running.process.poll() is None, "the deploy did not wait for it"
    street.hosts[0].sh(f"touch {end}")
    run = running.end()
    assert (run.code, f"ended in {before}" in run.printed) == (0, True)
    pleased(seen, CORNER)


def test_a_limit_without_the_host_of_the_act_fails(street: Street) -> None:
    """A silent success would look as if the command had run."""
    street.sesses["busker"]["hosts"] = "h1"
    for playbook, more in (("logs", {}), ("manage", {"run": "check"}), ("rehearse", {}), ("rollback", {})):
        run = street.try_to_play(playbook, on=street.hosts[1], act="busker", **more)
        assert run.code != 0, playbook
        assert "act busker plays on h1, and this run is limited to h2" in run.printed
    del street.sesses["busker"]["hosts"]
