# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot.py PRODUCTION [ACT]: print the state of a Production on this host as plain data, to compare two runs.

It leaves out what differs between equal runs: times, process ids, numbers of Sesses, and contents of caches. Releases
are named by the order in which they were built, instead of by their ids.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import re
import stat
import sys
import time
from typing import Any

ROOT = "/srv/backstage"
VASSALS = "/etc/backstage/vassals"
VENUES = "/etc/nginx/backstage/venues"
LOGS = "/var/log/backstage"
UNITS = "/etc/systemd/system"
UNCOMPARED = (".pyc", ".log", ".jsonl", ".lock", ".sqlite3")
TIMES = ("built", "by", "at", "since", "slowest")


class Names:
    """Words for names that differ in every run."""

    def __init__(self, production: str) -> None:
        self.words: dict[str, str] = {}
        acts = f"{ROOT}/{production}/acts"
        environments = {}
        for act in listed(acts):
            releases = listed(f"{acts}/{act}/releases")
            releases.sort(key=lambda release: built(f"{acts}/{act}/releases/{release}/release.json"), reverse=True)
            for number, release in enumerate(releases):
                self.words[release] = f"<{act}-{number}>"
                environments.setdefault(environment(f"{acts}/{act}/releases/{release}/release.json"), number)
        for key in listed(f"{ROOT}/{production}/environments"):
            self.words[key] = f"<environment-{environments.get(key, 'of nobody')}>"

    def plain(self, text: str) -> str:
        for name, word in self.words.items():
            text = text.replace(name, word)
        text = re.sub(r"(?<![A-Za-z0-9])take-\d+\b", "take-n", text)
        text = re.sub(r"(<[a-z-]+-\d+>)\.\d+", r"\1.n", text)
        text = re.sub(r"\b[0-9a-f]{12}\.\d+\b", "<gone>.n", text)
        return re.sub(r"\b(?:[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64})\b", "<id>", text)


def listed(path: str) -> list[str]:
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def built(path: str) -> str:
    """Return when a release was sealed. An unsealed one sorts first."""
    return f"{os.stat(path).st_mtime_ns:020}" if os.path.exists(path) else "~"


def environment(path: str) -> str:
    """Return the environment of a sealed release."""
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return str(json.load(file)["environment"])


def tree(top: str, names: Names) -> dict[str, str]:
    """Return every entry of a directory with its kind, mode, owner, group and content."""
    found = {}
    for root, directories, files in os.walk(top):
        for name in directories + files:
            path = os.path.join(root, name)
            found[names.plain(path)] = entry(path, names)
        directories[:] = [name for name in directories if not skipped(os.path.join(root, name))]
    return found


def skipped(path: str) -> bool:
    """Return whether only the directory itself is compared: an environment, a package cache or compiled code."""
    return (
        os.path.basename(path) in ("cache", "__pycache__") or os.path.basename(os.path.dirname(path)) == "environments"
    )


def entry(path: str, names: Names) -> str:
    info = os.lstat(path)
    owner = f"{user(info.st_uid)}:{group(info.st_gid)}"
    kind = info.st_mode
    if stat.S_ISLNK(kind):
        return f"link {owner} -> {names.plain(os.readlink(path))}"
    what = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFSOCK: "socket"}.get(stat.S_IFMT(kind), "?")
    return f"{what} {stat.S_IMODE(kind):04o} {owner} {content(path, names) if stat.S_ISREG(kind) else ''}".rstrip()


def content(path: str, names: Names) -> str:
    if path.endswith(UNCOMPARED):
        return ""
    with open(path, "rb") as file:
        raw = file.read()
    text = raw.decode("utf-8", "replace")
    try:
        text = json.dumps(plain(json.loads(text), names), sort_keys=True)
    except ValueError:
        text = names.plain(text)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def plain(data: Any, names: Names) -> Any:
    """Return JSON data without times, and with words for names."""
    if isinstance(data, dict):
        return {names.plain(key): plain(value, names) for key, value in data.items() if key not in TIMES}
    if isinstance(data, list):
        return [plain(value, names) for value in data]
    return names.plain(data) if isinstance(data, str) else data


def user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "nobody's"


def group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return "nobody's"


def processes(production: str, names: Names) -> list[str]:
    """Return the users with processes of this Production, and their commands, each kind once.

    A Sess that was switched away from has a second to go: nobody waits for its exit but who compares.
    """
    deadline = time.monotonic() + 10
    while any(_is_leaving(production, *one) for one in _running(production)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return sorted({f"{owner}: {names.plain(command)}" for owner, command in _running(production)})


def _is_leaving(production: str, owner: str, command: str) -> bool:
    """Return whether the process is of a Sess without a vassal, or a zombie."""
    if not owner.startswith(production + "-"):
        return False
    sess = re.match(rf"{production}/([^/ ]+)/(\S+) uWSGI", command)
    if sess is None:
        return not command
    vassal = f"{sess.group(1)}.{sess.group(2).replace('/', '.')}"  # a Sess, or SESS/crew for its workers
    return not os.path.lexists(f"{VASSALS}/backstage.{production}.{vassal}.ini")


def _running(production: str) -> list[tuple[str, str]]:
    """Return the users and commands of the Production's processes."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            owner = user(os.stat(f"/proc/{pid}").st_uid)
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                command = file.read().replace("\0", " ").strip()
        except OSError:
            continue  # the process has ended
        if owner.startswith((production + "-", production + "_")):
            found.append((owner, command))
    return found


def people(production: str) -> list[str]:
    """Return the Production's system users with their groups."""
    owned = [entry for entry in pwd.getpwall() if entry.pw_name.startswith((production + "-", production + "_"))]
    return sorted(f"{entry.pw_name} {entry.pw_dir} {' '.join(groups(entry))}" for entry in owned)


def groups(entry: pwd.struct_passwd) -> list[str]:
    return sorted(group(gid) for gid in os.getgrouplist(entry.pw_name, entry.pw_gid))


def take(production: str) -> dict[str, Any]:
    names = Names(production)
    return {
        "files": {
            **tree(f"{ROOT}/{production}", names),
            **tree(VASSALS, names),
            **tree(VENUES, names),
            **tree(f"{LOGS}/{production}", names),
            **{path: line for path, line in tree(UNITS, names).items() if f"/backstage.{production}." in path},
        },
        "processes": processes(production, names),
        "users": people(production),
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the differences of two snapshots. A directory that only one has is named without its content."""
    found: list[str] = []
    said = ""
    for path in sorted({*before["files"], *after["files"]}):
        old, new = before["files"].get(path), after["files"].get(path)
        if old == new or (said and path.startswith(said)):
            continue
        if old is None or new is None:
            found.append(f"{path} is {'not there' if new is None else f'there: {new}'}")
            said = path + "/"
        else:
            found.append(f"{path} is {new}, and should be {old}")
    for key in ("processes", "users"):
        found += [f"{key}: {line} is there" for line in sorted(set(after[key]) - set(before[key]))]
        found += [f"{key}: {line} is not there" for line in sorted(set(before[key]) - set(after[key]))]
    return found


if __name__ == "__main__":
    print(json.dumps(take(sys.argv[1])))
