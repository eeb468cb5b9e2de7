# SPDX-License-Identifier: GPL-3.0-or-later
"""Python loads this before a module that a test watches. It counts the writes, and kills or stops the module at one.

A write is an audit event (PEP 578) that changes something below one of PLACES, a lock, a new process or a signal. It is
also os.write to a file there, of which half is done when the process is killed. Writes of children do not count.

The order is a JSON file beside this folder. Without it nothing is watched.
    log     the file that gets every write, one a line
    at      the number of the write, or
    match   a regular expression that its line matches
    do      kill (default) or stop; the file "stopped" beside this folder gets the process id
"""

import json
import os
import re
import signal
import sys

ORDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "order.json")
STOPPED = os.path.join(os.path.dirname(ORDER), "stopped")
PLACES = ("/srv/backstage", "/etc/nginx", "/etc/backstage", "/var/log/backstage", "/var/log/nginx", "/etc/systemd")
# event -> the positions of a path in its arguments, each with the position of the directory that it is relative to
PATHS = {
    "os.remove": [(0, 1)],
    "os.rmdir": [(0, 1)],
    "os.mkdir": [(0, 2)],
    "os.rename": [(0, 2), (1, 3)],
    "os.symlink": [(1, 2)],
    "os.link": [(1, 3)],
    "os.chown": [(0, 3)],
    "os.chmod": [(0, 2)],
    "os.truncate": [(0, None)],
    "os.utime": [(0, 3)],
    "os.setxattr": [(0, None)],
    "fcntl.flock": [(0, None)],
}
OTHERS = {"subprocess.Popen": 0, "os.fork": None, "os.kill": 1, "os.killpg": 1}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def named(path, directory=None):
    """Return the absolute path of a path, a descriptor, or a name in an open directory."""
    if isinstance(path, int):
        return os.readlink(f"/proc/self/fd/{path}")
    path = os.fsdecode(path)
    if not path.startswith("/") and isinstance(directory, int) and directory >= 0:
        path = os.path.join(os.readlink(f"/proc/self/fd/{directory}"), path)
    return path


class Watch:
    """Counts the writes of this process."""

    def __init__(self, order):
        self.pid = os.getpid()
        self.at = order.get("at", 0)
        self.match = re.compile(order["match"]) if order.get("match") else None
        self.signal = signal.SIGSTOP if order.get("do") == "stop" else signal.SIGKILL
        self.log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.count = 0
        self.busy = False
        self.write = os.write
        os.write = self.writing
        sys.addaudithook(self.hear)

    def hear(self, event, args):
        if self.busy or os.getpid() != self.pid:
            return
        self.busy = True
        try:
            line = self.line(event, args)
            if line and self.due(line):
                self.end()
        except OSError:
            pass  # the descriptor is closed, so this writes nothing
        finally:
            self.busy = False

    def line(self, event, args):
        """Return what this event changes; empty if it is no write."""
        if event == "open":
            path, _mode, flags = args
            if isinstance(path, int) or not (flags or 0) & WRITING:
                return ""
            paths = [named(path)]
        elif event in PATHS:
            known = [(args[path], args[at] if at is not None and at < len(args) else None) for path, at in PATHS[event]]
            paths = [named(path, directory) for path, directory in known]
        elif event in OTHERS:
            position = OTHERS[event]
            return f"{event} {'' if position is None else os.fsdecode(str(args[position]))}".strip()
        else:
            return ""
        return f"{event} {' '.join(paths)}" if any(path.startswith(PLACES) for path in paths) else ""

    def due(self, line):
        self.count += 1
        self.write(self.log, f"{self.count} {line}\n".encode())
        if self.match is not None and self.match.search(line):
            self.match, self.at = None, self.count  # only the first match
        return self.count == self.at

    def end(self):
        if self.signal == signal.SIGSTOP:
            with open(STOPPED + ".new", "w", encoding="utf-8") as file:
                file.write(str(self.pid))
            os.rename(STOPPED + ".new", STOPPED)
        os.kill(self.pid, self.signal)

    def writing(self, handle, data):
        """Replace os.write, which has no audit event. Half of it is done when the process is killed."""
        if self.busy or os.getpid() != self.pid:
            return self.write(handle, data)
        self.busy = True
        done = 0
        try:
            path = named(handle)
            if path.startswith(PLACES) and self.due(f"os.write {path}"):
                done = self.write(handle, bytes(data)[: len(data) // 2])
                self.end()
        finally:
            self.busy = False
        return done + self.write(handle, bytes(data)[done:])


try:
    with open(ORDER, encoding="utf-8") as file:
        Watch(json.load(file))
except FileNotFoundError:
    pass
