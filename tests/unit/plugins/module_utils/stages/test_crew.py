# SPDX-License-Identifier: GPL-3.0-or-later
"""The crew of a Sess below the real uWSGI emperor: its start and its end, and whoever of it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import names, process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Worker
from ansible_collections.backstage.django.plugins.module_utils.stages import crew as crews
from ansible_collections.backstage.django.plugins.module_utils.stages import emperor, kinds, sess_files, wants
from ansible_collections.backstage.django.plugins.module_utils.stages.crew import Crew
from waiting import eventually

from ...crews import Jobs
from ...house import KITTENS, A, House, wanted
from .wishes import SESS

SESS_ID = f"{A}.1"
WORK, BEAT = Worker("work", "work 0.4", grace=20), Worker("beat", "beat", once=True, grace=20)


@pytest.fixture
def jobs(crewed: House, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setattr(crews, "STEADY", 0.5)
    crewed.build(A)
    return Jobs(crewed)


Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_emperor(crewed: House, jobs: Jobs) -> Iterator[Start]:
    program = shutil.which("uwsgi-core")
    assert program, "these tests need uWSGI: run them by make units"
    words = [program, "--strict", "--emperor", crewed.host.vassals, "--emperor-stats", crewed.host.stats]
    words += ["--emperor-graceful-shutdown", "--emperor-curse-tolerance", "315"]  # as the role says
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with open(crewed.root / "emperor.log", "a", encoding="utf-8") as log:
            running.append(subprocess.Popen(words, stdout=log, stderr=log, umask=0o077))
        eventually(lambda: emperor.try_look(crewed.host.stats))
        return running[-1]

    yield start
    for link in Path(crewed.host.vassals).iterdir():
        link.unlink()
    for one in running:
        one.send_signal(signal.SIGINT)
        one.wait(30)


def made(house: House, *workers: Worker, sess: str = SESS_ID) -> Crew:
    """The crew of a Sess whose files are there, and of which the emperor does not know yet."""
    want = wants.Want(SESS, wanted(replace(KITTENS, workers=list(workers)), play=A))
    part = wants.part(want, house.state(), house.host)
    assert part
    player = process.User.named(names.player(house.production, "kittens"))
    sess_files.make_log(house.state())
    sess_files.write(kinds.of(part.stage, house.host, house.act()), part, sess, house.state(), player, 5)
    return Crew(house.host, house.act(), sess)


def pids(sees: str, *words: str) -> list[int]:
    """The processes whose command line has all these words."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{entry}/cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if sees in line and all(word in line for word in words):
            found.append(int(entry))
    return found


def owner(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except FileNotFoundError:
        return -1


def worker_pid(name: str) -> Optional[int]:
    return next(iter(pids(f"/bin/{name}")), None)


def claimed(jobs: Jobs) -> list[str]:
    """The jobs that a worker has begun."""
    return [name for name in os.listdir(jobs.queue) if ".job." in name]


def test_its_whole_life(crewed: House, jobs: Jobs, start_emperor: Start) -> None:
    start_emperor()
    crew = made(crewed, WORK, BEAT)
    crew.begin(100)
    assert sorted(crew.working()) == ["beat", "work"]
    jobs.send(50)
    eventually(lambda: len(claimed(jobs)) > 1 and jobs.beats())
    assert crew.end(wait=True)
    assert crew.working() == []
    assert emperor.look(crewed.host.stats).vassals == {}
    assert len(claimed(jobs)) == len(jobs.done()) < 50, "what it has begun is done, and nothing else"
    assert jobs.beats() == ["begins", "ends"]
    assert pids("backstage_worker.py") == []


def test_fault_54_as_the_player_and_in_its_world(crewed: House, jobs: Jobs, start_emperor: Start) -> None:
    start_emperor()
    made(crewed, WORK).begin(100)
    pid = worker_pid("work")
    assert os.stat(f"/proc/{pid}").st_uid == os.stat(jobs.queue).st_uid
    variables = dict(
        item.partition("=")[::2] for item in Path(f"/proc/{pid}/environ").read_text().strip("\0").split("\0")
    )
    own = crewed.act().sess(SESS_ID)
    told = {name: Path(own.env, name).read_text().removesuffix("\n") for name in os.listdir(own.env)}
    del told["BACKSTAGE_TOKEN"]
    environment = crewed.paths.environment("e" * 16)
    assert variables == {
        **told,
        "PATH": f"{environment}/bin:{process.PATH}",
        "VIRTUAL_ENV": environment,
    }
    assert Path(f"/proc/{pid}/cwd").resolve() == Path(crewed.act().release(A).code)
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert int(status["Umask"], 8) == 0o027


def test_a_vassal_that_does_not_start(crewed: House, jobs: Jobs, start_emperor: Start) -> None:
    start_emperor()
    crew = made(crewed, WORK)
    Path(crew.paths.crew_ini).write_text("[uwsgi]\nstrict = true\nno-such-option = 1\n")
    with pytest.raises(BackstageError, match=r"not started within 2 s|vassal of the workers ended"):
        crew.begin(2)


def test_fault_89_truncated_vassal(crewed: House, jobs: Jobs, start_emperor: Start) -> None:
    """Wherever its file is cut, it starts nothing as root."""
    start_emperor()
    ini = Path(made(crewed, WORK).paths.crew_ini).read_text()
    player = names.player(crewed.production, "kittens")
    options = [line for line in ini.splitlines() if line and line[0] not in ";["]
    assert options[:2] == [f"uid = {player}", f"gid = {player}"]
    uid, daemon = ini.index("uid = "), ini.index("attach-daemon2")
    for end in (uid, uid + 4, uid + 8, ini.index("\n", uid) + 1, len(ini) // 2, daemon, daemon + 30, len(ini) - 20):
        Path(crewed.host.vassals, f"cut-{end}.ini").write_text(ini[:end])
    until, of_root = time.monotonic() + 5, set()
    while time.monotonic() < until:
        emperor.try_look(crewed.host.stats)
        of_root |= {pid for pid in pids("/crew uWSGI") + pids("backstage_worker") if owner(pid) == 0}
        time.sleep(0.05)
    assert of_root == set()


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
def test_fault_84_the_emperor_is_stopped(crewed: House, jobs: Jobs, start_emperor: Start, number: int) -> None:
    """A restart of its service, or the host's shutdown: what is begun is done."""
    running = start_emperor()
    crew = made(crewed, replace(WORK, run="work 3"))
    crew.begin(100)
    jobs.send(2)
    eventually(lambda: claimed(jobs))
    running.send_signal(number)
    assert running.wait(30) is not None
    eventually(lambda: crew.working() == [])
    assert [name for name, _release in jobs.done()] == ["0001.job"]
    start_emperor()
    eventually(lambda: crew.working() == ["work"])


KILLS = ["worker", "program", "vassal", "emperor"]


@pytest.mark.parametrize("killed", KILLS)
def test_fault_85_86_whoever_is_killed(crewed: House, jobs: Jobs, start_emperor: Start, killed: str) -> None:
    """All work again without Ansible, there are never two schedulers, and only a killed worker loses its job."""
    running = start_emperor()
    crew = made(crewed, WORK, BEAT)
    crew.begin(100)
    jobs.send(6)
    eventually(lambda: len(jobs.done()) >= 1)
    before = worker_pid("work")
    assert before
    victims = {
        "worker": before,
        "program": pids("backstage_worker.py", "-I")[0],
        "vassal": emperor.look(crewed.host.stats).vassals[crew.vassal].pid,
        "emperor": running.pid,
    }
    os.kill(victims[killed], signal.SIGKILL)
    if killed == "emperor":
        running.wait()
        start_emperor()  # as its service does
    most = 0

    def works_again() -> bool:
        nonlocal most
        emperor.try_look(crewed.host.stats)
        most = max(most, len(pids("/bin/beat")))
        return worker_pid("work") not in (None, before) and sorted(crew.working()) == ["beat", "work"]

    eventually(works_again, 60)
    jobs.send()
    eventually(lambda: f"{jobs.sent:04}.job" in [name for name, _release in jobs.done()], 60)
    eventually(lambda: len(jobs.done()) >= jobs.sent - (killed == "worker"))  # one may still end its last job
    assert most <= 1
    found = [name for name, _release in jobs.done()]
    assert sorted(found) == sorted(set(found))
    assert len(found) >= jobs.sent - (killed == "worker")
    if killed != "worker":
        assert len(found) == jobs.sent
