# SPDX-License-Identifier: GPL-3.0-or-later
"""probe.py OWN VICTIM PROCESS EMPEROR: everything that an Act must not do to another one, to its host, and to itself.

OWN and VICTIM are PRODUCTION/ACT, PROCESS is one of the victim's, EMPEROR the emperor's. It runs as the player, as the
builder, or as root, to whom all of it is allowed, and changes nothing that it does not put back. It prints JSON: the
name of each attempt, and "allowed" or why not.
"""

from __future__ import annotations

import ctypes
import glob
import json
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Callable

Attempt = Callable[[], object]

PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17


def acts_root(who: str) -> str:
    production, act = who.split("/")
    return f"/srv/backstage/{production}/acts/{act}"


def read(path: str) -> Attempt:
    def attempt() -> None:
        with open(path, "rb") as file:
            file.read(60)

    return attempt


def write(path: str) -> Attempt:
    """Open for writing: nothing is written."""

    def attempt() -> None:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))

    return attempt


def make(directory: str) -> Attempt:
    def attempt() -> None:
        path = os.path.join(directory, f".probe{os.getpid()}")
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(path)

    return attempt


def link(directory: str) -> Attempt:
    """Make a name there, as who would replace `live` does."""

    def attempt() -> None:
        path = os.path.join(directory, f".probe{os.getpid()}")
        os.symlink("/etc/passwd", path)
        os.unlink(path)

    return attempt


def listed(directory: str) -> Attempt:
    return lambda: os.listdir(directory)


def connect(path: str) -> Attempt:
    def attempt() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(path)

    return attempt


def any_of(*attempts: Attempt) -> Attempt:
    """Succeed if one of them does: an Act has other files with another Stage kind."""

    def attempt() -> None:
        failed = ""
        for one in attempts:
            try:
                one()
            except OSError as error:
                failed += f"{type(error).__name__}: {error}; "
            else:
                return
        raise OSError(failed)

    return attempt


def command(*argv: str) -> Attempt:
    def attempt() -> None:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode:
            raise OSError(done.returncode, done.stderr[-60:])

    return attempt


def chmod(path: str) -> Attempt:
    return lambda: os.chmod(path, os.stat(path).st_mode & 0o7777)


def hard_link(path: str, directory: str) -> Attempt:
    def attempt() -> None:
        name = os.path.join(directory, f".probe{os.getpid()}")
        os.link(path, name)
        os.unlink(name)

    return attempt


def trace(pid: int) -> Attempt:
    def attempt() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.ptrace(PTRACE_SEIZE, pid, None, None):
            raise OSError(ctypes.get_errno(), "ptrace")
        os.kill(pid, 0)

    return attempt


def become(uid: int) -> Attempt:
    def attempt() -> None:
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setuid(uid)
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            raise PermissionError("setuid")

    return attempt


def bind(port: int) -> Attempt:
    def attempt() -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))

    return attempt


def first(pattern: str) -> str:
    """A path that matches; one that can't be looked for is not there for who asks."""
    return next(iter(sorted(glob.glob(pattern))), pattern)


def door(live: str) -> Attempt:
    """Connect to the door of uwsgi, or to that of gunicorn."""
    return any_of(connect(f"{live}/door/s"), connect(f"{live}/door/h"))


def settings_of(live: str, how: Callable[[str], Attempt]) -> Attempt:
    """Read or write what a Sess is started by."""
    return any_of(how(f"{live}/uwsgi.ini"), how(first(f"{live}/backstage.*.service")))


def started_by(act: str) -> Attempt:
    """Write what tells the emperor or systemd to start a Sess."""
    name = f"backstage.{act.replace('/', '.')}.*"
    return any_of(
        write(first(f"/etc/backstage/vassals/{name}.ini")), write(first(f"/etc/systemd/system/{name}.service"))
    )


def of_another(victim: str, pid: int, own: str) -> dict[str, Attempt]:
    """What belongs to another Act."""
    production, act = victim.split("/")
    root = acts_root(victim)
    live = f"{root}/live"
    return {
        "secrets read": read(f"{live}/env/SECRET_KEY"),
        "secrets listed": listed(f"{live}/env"),
        "secrets written": write(f"{live}/env/SECRET_KEY"),
        "ini read": settings_of(live, read),
        "ini written": settings_of(live, write),
        "code read": read(f"{live}/release/code/stranger/settings.py"),
        "code listed": listed(f"{live}/release/code"),
        "code written": write(f"{live}/release/code/stranger/settings.py"),
        "code made": make(f"{live}/release/code"),
        "releases listed": listed(f"{root}/releases"),
        "releases made": make(f"{root}/releases"),
        "release's record read": read(f"{live}/release/release.json"),
        "release's record written": write(f"{live}/release/release.json"),
        "static written": write(f"{live}/static/stranger/plain.css"),
        "static made": make(f"{live}/static"),
        "act's record read": read(f"{root}/act.json"),
        "history read": read(f"{root}/history.jsonl"),
        "history written": write(f"{root}/history.jsonl"),
        "Sess's record read": read(f"{live}/sess.json"),
        "Sesses made": make(f"{root}/sesses"),
        "data listed": listed(f"{root}/data"),
        "data made": make(f"{root}/data"),
        "database read": read(f"{root}/data/db.sqlite3"),
        "database written": write(f"{root}/data/db.sqlite3"),
        "media listed": listed(f"{root}/media"),
        "upload read": read(f"{root}/media/private.txt"),
        "upload made": make(f"{root}/media"),
        "log read": read(f"/var/log/backstage/{production}/{act}.log"),
        "log written": write(f"/var/log/backstage/{production}/{act}.log"),
        "requests read": read(f"/var/log/nginx/backstage.{production}.{act}.example.com.log"),
        "door listed": listed(f"{live}/door"),
        "door used": door(live),
        "door replaced": make(f"{live}/door"),
        "live replaced": link(root),
        "vassal written": started_by(victim),
        "file linked": hard_link(f"{root}/data/db.sqlite3", f"{own}/data"),
        "player become": become(pwd.getpwnam(f"{production}-{act}").pw_uid),
        "builder become": become(pwd.getpwnam(f"{production}_{act}").pw_uid),
        "process signalled": lambda: os.kill(pid, 0),
        **of_a_process(pid),
    }


def of_a_process(pid: int) -> dict[str, Attempt]:
    """What also root may only do with CAP_SYS_PTRACE or CAP_SYS_NICE."""
    return {
        "process's environment read": read(f"/proc/{pid}/environ"),
        "process's memory map read": read(f"/proc/{pid}/maps"),
        "process's memory opened": write(f"/proc/{pid}/mem"),
        "process's descriptors listed": listed(f"/proc/{pid}/fd"),
        "process's directory read": lambda: os.readlink(f"/proc/{pid}/cwd"),
        "process's root entered": listed(f"/proc/{pid}/root/srv"),
        "process's execution traced": trace(pid),
        "process's priority changed": lambda: os.setpriority(os.PRIO_PROCESS, pid, 0),
        "process's processors changed": lambda: os.sched_setaffinity(pid, os.sched_getaffinity(pid)),
    }


def of_the_host(own: str, emperor: int) -> dict[str, Attempt]:
    """What belongs to the host and to the Production."""
    production = f"/srv/backstage/{own.split('/', maxsplit=1)[0]}"
    return {
        "emperor's stats used": connect("/run/backstage/emperor.stats"),
        "emperor's directory listed": listed("/run/backstage"),
        "emperor's log read": read("/var/log/backstage/emperor.log"),
        "emperor signalled": lambda: os.kill(emperor, 0),
        "emperor's ini written": write("/etc/backstage/emperor.ini"),
        "vassals made": make("/etc/backstage/vassals"),
        "stage's facts written": write("/etc/backstage/stage.json"),
        "Venues made": make("/etc/nginx/backstage/venues"),
        "nginx's parameters written": write("/etc/nginx/backstage/uwsgi.params"),
        "nginx's files made": make("/etc/nginx/conf.d"),
        "nginx's pages made": make("/usr/local/share/backstage/pages"),
        "wrapper written": write("/usr/local/lib/backstage/wrapper/backstage_wrapper.py"),
        "uv replaced": make("/usr/local/lib/backstage/tools/bin"),
        "unit written": make("/etc/systemd/system"),
        "cron used": make("/etc/cron.d"),
        "logrotate's files made": make("/etc/logrotate.d"),
        "shadow read": read("/etc/shadow"),
        "host key read": read("/etc/ssh/ssh_host_ed25519_key"),
        "root's home listed": listed("/root"),
        "Production's lock taken": write(f"{production}/.lock"),
        "host's lock taken": write("/srv/backstage/.lock"),
        "Production's directory made": make(production),
        "Acts made": make(f"{production}/acts"),
        "cache listed": listed(f"{production}/cache"),
        "cache made": make(f"{production}/cache"),
        "environments made": make(f"{production}/environments"),
        "environment's packages made": make(first(f"{production}/environments/*/lib/python3*/site-packages")),
        "environment's packages written": write(
            first(f"{production}/environments/*/lib/python3*/site-packages/django/__init__.py")
        ),
        "environment's record written": write(first(f"{production}/environments/*/environment.json")),
        "environments' builder become": become(pwd.getpwnam(f"{own.split('/', maxsplit=1)[0]}__build").pw_uid),
        "nginx become": become(pwd.getpwnam("www-data").pw_uid),
        "root become": become(0) if os.getuid() else (lambda: None),
        "low port bound": bind(81),
        "mounted": command("mount", "--bind", "/mnt", "/mnt"),
    }


def of_itself(own: str) -> dict[str, Attempt]:
    """What an Act must not change although it is its own."""
    root = acts_root(own)
    live = f"{root}/live"
    return {
        "own code written": write(f"{live}/release/code/stranger/settings.py"),
        "own code made": make(f"{live}/release/code"),
        "own code's mode changed": chmod(f"{live}/release/code/manage.py"),
        "own record written": write(f"{live}/release/release.json"),
        "own releases made": make(f"{root}/releases"),
        "own static written": write(f"{live}/static/stranger/plain.css"),
        "own static made": make(f"{live}/static"),
        "own secrets written": write(f"{live}/env/SECRET_KEY"),
        "own ini written": settings_of(live, write),
        "own Sesses made": make(f"{root}/sesses"),
        "own live replaced": link(root),
        "own door listed": listed(f"{live}/door"),
        "own door used": door(live),
        "own history read": read(f"{root}/history.jsonl"),
        "own history written": write(f"{root}/history.jsonl"),
        "own act's record read": read(f"{root}/act.json"),
        "own log read": read(f"/var/log/backstage/{own}.log"),
        "own log written": write(f"/var/log/backstage/{own}.log"),
        "own log replaced": link(f"/var/log/backstage/{own.split('/', maxsplit=1)[0]}"),
        "own vassal written": started_by(own),
    }


def main(own: str, victim: str, pid: str, emperor: str) -> None:
    attempts = {
        **of_another(victim, int(pid), acts_root(own)),
        **of_the_host(own, int(emperor)),
        **of_itself(own),
    }
    found = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            found[name] = "allowed"
        except OSError as error:
            found[name] = f"{type(error).__name__}: {error}"
    print(json.dumps({"uid": os.getuid(), "groups": os.getgroups(), "found": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
