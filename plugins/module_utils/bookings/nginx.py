# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's nginx: test its configuration, then reload it at most once. It is never restarted."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from ..host import files, names, nginx_dump, process
from ..host.errors import BackstageError
from ..host.facts import SITE
from . import nginx_servers
from .nginx_servers import Server

_PROGRAM = "/usr/sbin/nginx"
_PID = "/run/nginx.pid"
_ALONE = """pid "{directory}/pid";
error_log stderr;
events {{}}
http {{
    server_names_hash_bucket_size 512;
    server_names_hash_max_size 8192;
    include "{constants}";
    include "{directory}/*.conf";
}}
"""
_DUMP = 64 * 2**20
"""The most bytes of a configuration. A part of it would hide the servers in the rest."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Configuration:
    """What nginx would read now.

    Args:
        fault: why it would refuse it, with the file and the line; empty where it would not.
        path: the file that is at fault, as far as nginx names one.
        servers: all servers in it; none where nginx refuses it.
    """

    fault: str = ""
    path: str = ""
    servers: tuple[Server, ...] = ()

    def need_accepted(self, ours: Iterable[str]) -> None:
        """Refuse to go on if nginx refuses this configuration, unless because of a file that will be written again.

        Args:
            ours: files of nginx, and directories with certificates, of which nginx's words name one.

        Raises:
            BackstageError: somebody else has to mend it.
        """
        if self.fault and not any(place == self.path or f'"{place}/' in self.fault for place in ours):
            message = f"nginx refuses its configuration: {self.fault}: mend it, then run again"
            raise BackstageError(message, step="nginx")


def read(ours: str = "") -> Configuration:
    """Have nginx read its configuration without using it, and return what is in it.

    Args:
        ours: the directory of Backstage's own servers, which are left out.
    """
    if not os.path.exists(_PROGRAM):
        return Configuration(f"{_PROGRAM} is missing: {SITE}")
    result = process.run([_PROGRAM, "-T", "-q"], keep=_DUMP)
    if not result.ok:
        fault = _fault(result.said)
        return Configuration(fault, nginx_dump.place(fault))
    return Configuration(servers=tuple(nginx_servers.read(result.out, ours)))


def _fault(said: str) -> str:
    return nginx_dump.fault(said) or "it does not say why"


def check(whose: str, configuration: str = "") -> None:
    """Have nginx read its configuration without using it.

    Args:
        whose: what is tested, for the error.
        configuration: another main file than the host's own.

    Raises:
        BackstageError: it refuses it; carries nginx's own words.
    """
    result = process.run([_PROGRAM, "-t", "-q", *(["-c", configuration] if configuration else [])])
    if not result.ok:
        raise BackstageError(f"nginx refuses {whose}: {_fault(result.said)}", step="nginx", log=result.said)


def check_alone(texts: dict[str, str], constants: str) -> None:
    """Have nginx read files that are not enabled yet, with no other file of this host than `http`, which they need."""
    if not texts:
        return
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        for name, text in texts.items():
            files.draft(os.path.join(directory, name), text, 0o600)
        main = os.path.join(directory, "main")
        files.draft(main, _ALONE.format(directory=directory, constants=constants), 0o600)
        check(", ".join(texts), main)


def refused_alone(candidates: dict[str, dict[str, str]], constants: str) -> dict[str, BackstageError]:
    """Return the sets of files that nginx refuses even alone: the key of each -> why."""
    try:
        check_alone({name: text for texts in candidates.values() for name, text in texts.items()}, constants)
    except BackstageError:
        found = {key: _refused_alone(texts, constants) for key, texts in candidates.items()}
        return {key: error for key, error in found.items() if error}
    return {}


def _refused_alone(texts: dict[str, str], constants: str) -> Optional[BackstageError]:
    try:
        check_alone(texts, constants)
    except BackstageError as error:
        return error
    return None


def master() -> Optional[int]:
    """Return the process id of the running master."""
    text = files.read(_PID)
    pid = int(text) if text and text.strip().isdigit() else 0
    # a number in a file that was left over may be anybody's by now
    return pid if pid and _read(f"/proc/{pid}/comm").strip() == "nginx" else None


def reload() -> None:
    """Have nginx use its configuration, and wait until no old worker takes a request any more.

    A reload is asynchronous, and one good answer proves nothing: an old worker may give the next one.

    Raises:
        BackstageError: nginx is not running, or its old workers stay.
    """
    pid = master()
    if pid is None:
        raise BackstageError("nginx is not running: start the service nginx", step="nginx")
    before = set(_children(pid))  # a worker that was just born has no name yet
    os.kill(pid, signal.SIGHUP)
    deadline = time.monotonic() + 30
    while before & {child for child in _children(pid) if not _is_leaving(child)} or not _workers(pid):
        if time.monotonic() > deadline:
            raise BackstageError("nginx did not take up its configuration within 30 s; see its error log", step="nginx")
        time.sleep(0.01)


def _workers(pid: int) -> list[int]:
    """Return the workers that take requests."""
    named = [child for child in _children(pid) if "worker process" in _read(f"/proc/{child}/cmdline")]
    return [child for child in named if not _is_leaving(child)]


def _children(pid: int) -> list[int]:
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        stat = _read(f"/proc/{entry}/stat").rpartition(")")[2].split()
        if len(stat) > 1 and stat[0] != "Z" and stat[1] == str(pid):
            found.append(int(entry))
    return found


def _is_leaving(pid: int) -> bool:
    return "is shutting down" in _read(f"/proc/{pid}/cmdline")


def is_stale(directory: str) -> bool:
    """Return whether a file changed after the running workers read it, for example because a run was killed."""
    pid = master()
    workers = _workers(pid) if pid else []
    if not workers:
        return False
    read = min(_started(worker) for worker in workers)
    paths = [directory, *(os.path.join(directory, name) for name in files.names_in(directory))]
    # a process's start is known in ticks of 10 ms
    return any(os.lstat(path).st_ctime > read + 2 / _TICKS for path in paths if os.path.lexists(path))


def _started(pid: int) -> float:
    """Return when a process started, in seconds since the epoch."""
    ticks = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    since_boot = int(ticks[19]) / _TICKS if len(ticks) > 19 else 0.0
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""  # the process ended meanwhile


def make_log(path: str) -> None:
    """Make the access log with the mode of nginx's own logs. nginx's test would make it readable for everybody."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
    try:
        os.fchown(handle, process.User.named(names.WWW_GROUP).uid, process.group_id(names.LOG_GROUP))
    finally:
        os.close(handle)
