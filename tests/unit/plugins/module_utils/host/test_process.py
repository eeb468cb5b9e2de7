# SPDX-License-Identifier: GPL-3.0-or-later
"""Children: who they are, what they see, and that none of them outlives what started it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from waiting import eventually

from ...told import told

PYTHON = "/usr/bin/python3"
DAEMON = process.User("daemon", 1, 1, [1, 4])
ABOUT = """
import json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
descriptors = [int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)]
print(json.dumps({"ids": [*os.getresuid(), *os.getresgid()], "groups": sorted(os.getgroups()), "cwd": os.getcwd(),
                  "umask": int(status["Umask"], 8), "no_new_privs": status["NoNewPrivs"].strip(),
                  "sid": os.getsid(0) == os.getpid(), "descriptors": sorted(descriptors), "env": dict(os.environ)}))
"""


def about(**options: Any) -> dict[str, Any]:
    result = process.run([PYTHON, "-I", "-c", ABOUT], **options)
    assert result.ok, result.said
    found: dict[str, Any] = json.loads(result.out)
    return found


@pytest.mark.parametrize(
    ("user", "ids", "groups", "restrained"), [(None, [0] * 6, None, "0"), (DAEMON, [1] * 6, [1, 4], "1")]
)
def test_run_as(user: process.User, ids: list[int], groups: list[int], restrained: str, tmp_path: Path) -> None:
    os.environ["MARKER"] = "purrpurr"
    with (tmp_path / "open").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        found = about(user=user)
    del os.environ["MARKER"]
    assert (found["ids"], found["no_new_privs"], found["umask"], found["sid"]) == (ids, restrained, 0o027, True)
    assert groups in (None, found["groups"])
    assert (found["cwd"], found["env"]) == ("/", {"PATH": process.PATH, "LC_ALL": "C.UTF-8"})
    assert [number for number in found["descriptors"] if number > 3] == []  # 3: the listing itself


def test_run_with_all_that_is_printed_in_its_order() -> None:
    script = "echo one; echo two >&2; echo three; exit 3"
    assert process.run(["sh", "-c", script], together=True) == process.Result(3, "one\ntwo\nthree\n", "")
    ended = process.run(["sh", "-c", "echo one; exec sleep 60"], together=True, timeout=0.5)
    assert (ended.out, ended.err) == ("one\n", "\nended after 0 s")


def test_run_with_an_environment_and_a_directory(place: Path) -> None:
    found = about(user=DAEMON, env={"A": "b\nc", "PATH": "/bin"}, cwd=str(place))
    assert (found["env"], found["cwd"]) == ({"A": "b\nc", "PATH": "/bin", "LC_ALL": "C.UTF-8"}, str(place))


RUNS = [
    # (argv, stdin, code, out, said)
    (["true"], "", 0, "", ""),
    (["sh", "-c", "exit 7"], "", 7, "", ""),
    (["echo", "$HOME; rm -rf x `id` *"], "", 0, "$HOME; rm -rf x `id` *\n", "$HOME; rm -rf x `id` *"),
    (["cat"], "ä\n", 0, "ä\n", "ä"),
    (["sh", "-c", "echo err >&2; echo out"], "", 0, "out\n", "out\nerr"),
    (["printf", "\\377"], "", 0, "\ufffd", "\ufffd"),
    (["sh", "-c", "kill -9 $$"], "", -9, "", ""),
]


@pytest.mark.parametrize(("argv", "stdin", "code", "out", "said"), RUNS)
def test_run(argv: list[str], stdin: str, code: int, out: str, said: str) -> None:
    result = process.run(argv, stdin=stdin)
    assert (result.code, result.out, result.said, result.ok) == (code, out, said, code == 0)


def test_a_report_is_apart_from_what_is_printed() -> None:
    program = "import os, sys; print('noise'); os.write(int(sys.argv[1]), b'answer'); print('err', file=sys.stderr)"
    result = process.run([PYTHON, "-c", program], DAEMON, report=100)
    assert (result.out, result.err) == ("answer", "noise\nerr\n")


def test_a_timeout_ends_the_whole_group() -> None:
    start = time.monotonic()
    result = process.run(["sh", "-c", "echo before; sleep 61 & sleep 61"], timeout=0.3)
    assert time.monotonic() - start < 50
    assert (result.code, result.said) == (-9, "before\n\nended after 0 s".replace("\n\n", "\n"))
    eventually(lambda: not running("sleep 61"))


@pytest.mark.parametrize("start", ["setsid sleep 63 &", "sleep 63 &"], ids=["that left the group", "of the group"])
def test_nobody_waits_for_a_daemon_that_holds_the_output(start: str) -> None:
    """A command that has ended has ended, such as one of a build that leaves a service of its compiler behind."""
    begun = time.monotonic()
    result = process.run(["sh", "-c", f"cat; {start} sleep 0.1; exit 3"], stdin="before\n")
    assert time.monotonic() - begun < 50
    assert (result.code, result.said) == (3, "before")
    eventually(lambda: running("sleep 63"))
    for pid in running("sleep 63"):
        os.kill(pid, signal.SIGKILL)


def test_a_timeout_ends_what_left_the_group_and_prints_no_more() -> None:
    begun = time.monotonic()
    result = process.run(["sh", "-c", "echo before; setsid sleep 63 & sleep 64"], timeout=0.3)
    assert time.monotonic() - begun < 50
    assert (result.code, result.said) == (-9, "before\nended after 0 s")
    eventually(lambda: not running("sleep 64"))
    for pid in running("sleep 63"):
        os.kill(pid, signal.SIGKILL)


def running(words: str) -> list[int]:
    """The processes with this command line that are no zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and words == (entry / "cmdline").read_text().replace("\0", " ").strip():
                found.append(int(entry.name))
        except OSError:
            continue  # it ended meanwhile
    return found


KILLED: list[Callable[[], Any]] = [
    lambda: process.run(["sleep", "62"]),
    lambda: process.run(["sleep", "62"], DAEMON),
    lambda: process.call_as(DAEMON, os.execv, "/bin/sleep", ["sleep", "62"]),
]


@pytest.mark.parametrize("start", KILLED)
def test_fault_30_a_child_dies_with_the_module(start: Callable[[], Any]) -> None:
    pid = os.fork()
    if pid == 0:
        start()
        os._exit(0)
    eventually(lambda: bool(running("sleep 62")))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    eventually(lambda: not running("sleep 62"))


def who() -> dict[str, Any]:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "ids": [*os.getresuid(), *os.getresgid()],
        "groups": sorted(os.getgroups()),
        "env": dict(os.environ),
        "umask": int(status["Umask"], 8),
        "no_new_privs": status["NoNewPrivs"].strip(),
        "descriptors": len([name for name in os.listdir("/proc/self/fd") if int(name) > 2]),
    }


def test_call_as() -> None:
    found = process.call_as(DAEMON, who)
    assert found == {
        "ids": [1] * 6,
        "groups": [1, 4],
        "env": {"PATH": process.PATH, "LC_ALL": "C.UTF-8"},
        "umask": 0o027,
        "no_new_privs": "1",
        "descriptors": 2,  # that of its answer, and the listing's
    }


def test_call_as_keeps_the_descriptors_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("purr")
    with (tmp_path / "a").open("rb") as file:  # daemon may not open it itself
        number = file.fileno()
        assert process.call_as(DAEMON, lambda: os.read(number, 9).decode(), pass_fds=[number]) == "purr"
        assert "Bad file descriptor" in told(process.call_as, DAEMON, lambda: os.read(number, 9).decode())


def fail(error: BaseException) -> None:
    raise error


ENDS = [
    # (function, its argument, what the caller is told)
    # its step and its host are named once, by whoever called
    (fail, BackstageError("it broke", step="x"), "it broke"),
    (fail, ValueError("no number"), "no number"),
    (open, "/etc/shadow", "[Errno 13] Permission denied: '/etc/shadow'"),
    (os._exit, 3, "a step run as daemon ended with status 3 and no answer"),
    (fail, KeyError("a"), "a step run as daemon ended with status 1 and no answer"),
    (lambda number: os.kill(os.getpid(), number), 9, "a step run as daemon ended with status -9 and no answer"),
]


@pytest.mark.parametrize(("function", "argument", "said"), ENDS)
def test_call_as_that_fails(function: Callable[[Any], Any], argument: Any, said: str) -> None:
    assert told(process.call_as, DAEMON, function, argument) == said


def test_call_as_returns_much_and_ends_in_time() -> None:
    assert len(process.call_as(DAEMON, lambda: "x" * (1 << 20))) == 1 << 20
    start = time.monotonic()
    said = told(process.call_as, DAEMON, time.sleep, 60, timeout=0.2)
    assert said == "'sleep', run as daemon, gave no answer within 0.2 s, and was killed"
    assert time.monotonic() - start < 50


def test_named() -> None:
    assert process.User.named("daemon") == process.User("daemon", 1, 1, [1])
    assert told(process.User.named, "no-such-user") == "the system user 'no-such-user' is missing on this host"
    assert process.group_id("adm") == 4
    assert told(process.group_id, "no-such-group") == "the system group 'no-such-group' is missing on this host"
