# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every role asks of its host."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import survey

ROLES = Path(survey.__file__).parents[2]


def owner() -> str:
    """The owner of files that this process makes, as the survey writes it."""
    return f"{survey.user_name(os.getuid())}:{survey.group_name(os.getgid())}"


def test_paths_are_described_in_one_line(tmp_path: Path) -> None:
    """A role compares lines: mode, owner and contents are in them, and what is not a plain file says so."""
    file, directory, link = tmp_path / "file", tmp_path / "directory", tmp_path / "link"
    file.write_bytes(b"swing\n")
    file.chmod(0o640)
    directory.mkdir(0o755)
    link.symlink_to(file)
    digest = hashlib.sha256(b"swing\n").hexdigest()
    assert survey.describe(str(file)) == f"{file} 0640 {owner()} {digest}"
    assert survey.describe(str(file), "log") == f"{file} 0640 {owner()} log"
    assert survey.describe(str(directory)) == f"{directory} 0755 {owner()} directory"
    assert survey.describe(str(link)) == f"{link} 0777 {owner()} special"
    assert survey.describe(str(tmp_path / "none")) == f"{tmp_path / 'none'} absent"
    assert survey.describe(str(file / "below")) == f"{file / 'below'} absent"


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (["nginx"], []),
        (["nginx", "uwsgi-core"], ["uwsgi-core"]),
        (["nginx=1.22.1-9", "nginx:amd64", "nginx/bookworm"], []),
        (["removed"], ["removed"]),
        (["nginx-light"], ["nginx-light"]),
        (["half"], ["half"]),
        ([], []),
    ],
)
def test_missing_packages(monkeypatch: pytest.MonkeyPatch, wanted: list[str], missing: list[str]) -> None:
    """Only what dpkg calls installed is there; versions and architectures are apt's to judge."""
    status = "nginx installed\nremoved config-files\nhalf half-installed\n"

    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, 1, status, "dpkg-query: no packages found matching uwsgi-core")

    monkeypatch.setattr(survey, "run", run)
    assert survey.missing_packages(wanted) == missing


def test_a_missing_command_is_an_answer() -> None:
    """A host without systemctl, dpkg or nginx is no error of ours."""
    assert survey.run("no-such-command-anywhere").returncode == 127


def test_a_process_is_older_than_what_was_written_after_it_started(tmp_path: Path) -> None:
    """Our own process started before the file was written, unless that is said to be long ago or still to come."""
    file = tmp_path / "emperor.ini"
    file.touch()
    pid = os.getpid()
    assert survey.older_than(pid, [str(file)])
    os.utime(file, (0, 0))
    assert not survey.older_than(pid, [str(file)])
    os.utime(file, (time.time() + 3600,) * 2)
    assert not survey.older_than(pid, [str(file)])
    assert not survey.older_than(pid, [str(tmp_path / "none")])
    assert not survey.older_than(0, [str(file)])


def test_started_agrees_with_the_clock() -> None:
    """The start of a process, by the clock that stamps files."""
    before = time.time()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        since = survey.started(child.pid)
        child.communicate(b"\n")
    assert since is not None
    assert before - 0.1 <= since <= time.time()


def test_only_serving_children_count() -> None:
    """A worker that is leaving has read the old files, and may."""
    script = "import sys, time; time.sleep(60)"
    titles = ["worker process", "worker process is shutting down", "cache manager process"]
    children = [subprocess.Popen([sys.executable, "-c", script, title]) for title in titles]
    try:
        assert survey.serving(os.getpid(), "worker process") == [children[0].pid]
    finally:
        for child in children:
            child.kill()
            child.wait()


SHOWN = "LoadState={}\nActiveState={}\nUnitFileState={}\nMainPID={}\nNeedDaemonReload={}\n"


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        (("loaded", "active", "enabled", "7", "no"), (True, True, True, False, 7)),
        (("loaded", "reloading", "enabled", "7", "yes"), (True, True, True, True, 7)),
        (("loaded", "failed", "disabled", "0", "no"), (True, False, False, False, 0)),
        (("not-found", "inactive", "", "0", "no"), (False, False, False, False, 0)),
        (("masked", "inactive", "masked", "0", "no"), (False, False, False, False, 0)),
    ],
)
def test_systemd_service(
    monkeypatch: pytest.MonkeyPatch, shown: tuple[str, ...], answer: tuple[bool, bool, bool, bool, int]
) -> None:
    """systemd's properties, as the roles ask for them."""
    monkeypatch.setattr(survey, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, SHOWN.format(*shown), ""))
    known, running, enabled, reread, pid = answer
    assert survey.systemd_service("nginx") == {
        "known": known, "running": running, "enabled": enabled, "reread": reread, "pid": pid,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "question"),
    [
        ("stage", {"vassals": "{0}/vassals", "ini": "{0}/emperor.ini", "tools": "{0}/tools"}),
        ("front_of_house", {"port": 1, "constants": "{0}/a", "ours": "", "venues": "{0}/venues", "facts": "{0}/facts"}),
    ],
)
def test_both_files_are_one_text(tmp_path: Path, role: str, question: dict[str, object]) -> None:
    """The text that goes to Python's standard input answers in JSON, and changes nothing."""
    text = "\n\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROLES / "host/files/survey.py", ROLES / role / "files" / f"{role}_survey.py")
    )
    questions = {
        "packages": [], "paths": [str(tmp_path)], "logs": [], "leftovers": [f"{tmp_path}/*"],
        "service": {"name": "no-such", "pidfile": f"{tmp_path}/pid", "files": [], "workers": ""},
        "role": {key: str(value).format(tmp_path) if key != "port" else value for key, value in question.items()},
    }  # fmt: skip
    argv = [sys.executable, "-I", "-", json.dumps(questions)]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout)
    assert answers["service"] | {"reread": False} == {
        "known": False, "enabled": False, "running": False, "reread": False, "pid": 0, "stale": False,
    }  # fmt: skip
    assert answers["paths"] == [survey.describe(str(tmp_path))]
    assert not any(tmp_path.iterdir())


def test_processes_whose_namespaces_root_may_not_read_are_seen() -> None:
    """Without CAP_SYS_PTRACE, as in most containers, root can't read /proc/PID/ns of other users' processes."""
    bounded = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    program = "import survey; print(*survey.processes())"
    other = subprocess.Popen(["sleep", "60"], user=65534, group=65534, extra_groups=[])
    try:
        done = subprocess.run(
            [*bounded, "/usr/bin/python3", "-c", program],
            env={"PYTHONPATH": str(Path(survey.__file__).parent)},
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        other.kill()
        other.wait()
    assert str(other.pid) in done.stdout.split()
