# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a role has to know about its host, in one process, and change nothing.

Every separate read of a host costs about as much as a ping, so a role asks everything at once. Its own questions
stand in a file beside its tasks. Both files go to Python's standard input as one text, this one first; the questions
are one JSON argument, and the answers one JSON object. Python 3.9 and its standard library, nothing else.
"""

from __future__ import annotations

import glob
import grp
import hashlib
import json
import os
import pwd
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Callable


# --- reading ----------------------------------------------------------------------------------------------------------
def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command for its output, in the C locale; a missing command is exit status 127."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    try:
        return subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(argv, 127, "", str(error))


def text_of(path: str) -> str:
    """The text of a file; empty when it can't be read, as files in /proc vanish with their process."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError:
        return ""


def names(directory: str, suffix: str) -> list[str]:
    """The files of a directory with this ending; none when there is no such directory."""
    try:
        return sorted(name for name in os.listdir(directory) if name.endswith(suffix))
    except (FileNotFoundError, NotADirectoryError):
        return []


# --- the system -------------------------------------------------------------------------------------------------------
def system() -> dict[str, Any]:
    """Distribution, service manager, and whether the kernel speaks IPv6."""
    pairs = dict(line.split("=", 1) for line in text_of("/etc/os-release").splitlines() if "=" in line)
    release = {key: value.strip("\"'") for key, value in pairs.items()}
    return {
        "distribution": release.get("ID", ""),
        "version": release.get("VERSION_ID", ""),
        "name": release.get("PRETTY_NAME", "an unknown system"),
        "systemd": under_systemd(),
        "ipv6": os.path.exists("/proc/net/if_inet6"),
    }


def under_systemd() -> bool:
    """Whether PID 1 is systemd, as sd_booted(3) asks."""
    return os.path.isdir("/run/systemd/system")


def missing_packages(wanted: list[str]) -> list[str]:
    """Those of the packages (NAME, NAME:ARCH, NAME=VERSION) that dpkg doesn't call installed."""
    plain = {package: re.split("[=/:]", package)[0] for package in wanted}
    known = run("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", "--", *plain.values())
    installed = {line.split()[0] for line in known.stdout.splitlines() if line.endswith(" installed")}
    return [package for package, name in plain.items() if name not in installed]


def describe(path: str, kind: str = "") -> str:
    """One path in one line, as the role writes those that it wants: equal lines mean that nothing is to be done.

    The kind of a file is the digest of its contents, unless one is given.
    """
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return f"{path} absent"
    if stat.S_ISDIR(status.st_mode):
        kind = "directory"
    elif not stat.S_ISREG(status.st_mode):
        kind = "special"
    elif not kind:
        with open(path, "rb") as handle:
            kind = hashlib.sha256(handle.read()).hexdigest()
    return f"{path} {stat.S_IMODE(status.st_mode):04o} {user_name(status.st_uid)}:{group_name(status.st_gid)} {kind}"


def user_name(uid: int) -> str:
    """The name of a user, or its number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a group, or its number when it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


# --- processes --------------------------------------------------------------------------------------------------------
def processes() -> Iterator[int]:
    """Process ids of this host alone: a machine that runs containers sees theirs in /proc, too.

    A container's process has a number in more PID namespaces than one (proc_pid_status(5), NSpid). Root may read that
    without CAP_SYS_PTRACE, which it lacks in most containers.
    """
    for entry in filter(str.isdigit, os.listdir("/proc")):
        numbers = re.search(r"^NSpid:(.*)$", text_of(f"/proc/{entry}/status"), re.MULTILINE)
        if numbers and len(numbers.group(1).split()) == 1:
            yield int(entry)


def arguments(pid: int) -> list[str]:
    """The command line of a process."""
    return text_of(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")


def started(pid: int) -> float | None:
    """When a process started, by the clock that stamps files; None when it is gone."""
    fields = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return None
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def older_than(pid: int, paths: list[str]) -> bool:
    """Whether a process started before one of the files it reads was written last."""
    since = started(pid)
    written = [os.stat(path).st_mtime for path in paths if os.path.exists(path)]
    # A time to come, from a clock that was set back, proves nothing, and would be newer for ever.
    return since is not None and any(since < moment <= time.time() for moment in written)


# --- services ---------------------------------------------------------------------------------------------------------
def service(question: dict[str, Any]) -> dict[str, Any]:
    """Whether a service is known, enabled and running, and whether it runs what its files say now."""
    answer = systemd_service(question["name"]) if under_systemd() else script_service(**question)
    paths, workers = question["files"], question["workers"]
    readers = serving(answer["pid"], workers) if workers else [answer["pid"]]
    answer["stale"] = answer["running"] and any(older_than(pid, paths) for pid in readers)
    return answer


def systemd_service(name: str) -> dict[str, Any]:
    """A service as systemd knows it."""
    shown = run("systemctl", "show", "--property=LoadState,ActiveState,UnitFileState,MainPID,NeedDaemonReload", name)
    properties = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
    return {
        "known": properties.get("LoadState") == "loaded",
        "enabled": properties.get("UnitFileState") == "enabled",
        "running": properties.get("ActiveState") in ("active", "reloading"),
        "reread": properties.get("NeedDaemonReload") == "yes",
        "pid": int(properties.get("MainPID") or 0),
    }


def script_service(name: str, pidfile: str, **_: Any) -> dict[str, Any]:
    """A service as its script in /etc/init.d knows it."""
    script, pid = f"/etc/init.d/{name}", text_of(pidfile).strip()
    known = os.path.exists(script)
    return {
        "known": known,
        "enabled": bool(glob.glob(f"/etc/rc[2-5].d/S[0-9][0-9]{name}")),
        "running": known and run(script, "status").returncode == 0,
        "reread": False,
        "pid": int(pid) if pid.isdigit() else 0,
    }


def serving(master: int, workers: str) -> list[int]:
    """The children of a process that do its work (nginx reads its files anew by new workers), not the leaving ones."""
    children = text_of(f"/proc/{master}/task/{master}/children").split()
    titles = {int(child): " ".join(arguments(int(child))) for child in children}
    return [child for child, title in titles.items() if workers in title and "shutting down" not in title]


# --- the one call -----------------------------------------------------------------------------------------------------
def reply(role: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer what every role asks, and what this one asks besides."""
    questions = json.loads(sys.argv[1])
    missing = missing_packages(questions["packages"])
    answers = {
        "system": system(),
        "missing": missing,
        "python_apt": not missing or not missing_packages(["python3-apt"]),
        "paths": [describe(path) for path in questions["paths"]],
        "logs": [describe(path, "log") for path in questions["logs"]],
        "leftovers": [path for pattern in questions["leftovers"] for path in sorted(glob.glob(pattern))],
        "service": service(questions["service"]),
        **role(questions["role"]),
    }
    json.dump(answers, sys.stdout)


# The role's own file follows in the same text and imports from this one.
sys.modules.setdefault("survey", sys.modules[__name__])
