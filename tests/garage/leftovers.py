"""Find what is new on a host.

leftovers.py stamp RECORD          before: record every path, and the contents that must be restored
leftovers.py check RECORD ALLOWED  after: print each path that differs and is in no line of the allow-list

It uses only the standard library, because it runs on hosts that have nothing else.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

ROOTS = ("/", "/run", "/tmp", "/dev/shm")  # noqa: S108 - each without the file systems that are mounted below it
MINE = Path(__file__).resolve().parents[2]


def paths() -> Iterator[tuple[str, os.stat_result]]:
    """Yield every path of the roots, like `find -xdev`, without this checkout."""
    devices = set()
    for root in ROOTS:
        device = os.lstat(root).st_dev
        if device in devices:  # it is part of a root that was walked already
            continue
        devices.add(device)
        for folder, names, files in os.walk(root):
            here = []
            for name in [*names, *files]:
                path = os.path.join(folder, name)
                try:
                    about = os.lstat(path)
                except FileNotFoundError:
                    continue
                if about.st_dev == device and path != str(MINE):
                    here.append(name)
                    yield path, about
            names[:] = [name for name in names if name in here]


def lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def altered() -> set[str]:
    """Return the files of packages that were changed since their installation."""
    done = subprocess.run(["dpkg", "--verify"], capture_output=True, text=True, check=False)
    return {line.split()[-1] for line in done.stdout.splitlines()}


def packaged() -> set[str]:
    """Return every path of packages, with symlinks in the folder (/lib) resolved, like `paths`."""
    found = set()
    for listing in Path("/var/lib/dpkg/info").glob("*.list"):
        for line in listing.read_text(encoding="utf-8").splitlines():
            folder, name = os.path.split(line)
            found.add(os.path.join(os.path.realpath(folder), name))
    return found


def stamp(record: Path) -> None:
    kept = {path: lines(path) for name in ("passwd", "group", "shadow", "gshadow") for path in (f"/etc/{name}",)}
    seen = {path: os.readlink(path) if os.path.islink(path) else "" for path, _about in paths()}
    record.write_text(
        json.dumps({"time": time.time(), "seen": seen, "kept": kept, "altered": sorted(altered())}), encoding="utf-8"
    )


def rules(allowed: Path) -> list[tuple[str, str]]:
    found = [line.split("#")[0].split() for line in lines(str(allowed))]
    return [(words[0], words[1]) for words in found if words]


def alternative(path: str) -> bool:
    """Return whether the path is another name for a program or a page of a package."""
    return os.path.islink(path) and os.readlink(path).startswith("/etc/alternatives/")


def explained(path: str, verbs: list[tuple[str, str]], kept: dict[str, list[str]]) -> bool:
    for verb, pattern in verbs:
        if not fnmatchcase(path, pattern):
            continue
        if verb == "any":
            return True
        if verb == "same":
            return lines(path) == kept[path]
        if verb == "last":  # the backup from before the last removal has one entry more than now
            return len(set(lines(path)) - set(kept[path.removesuffix("-")])) <= 1
    return False


def difference(path: str, kept: dict[str, list[str]]) -> str:
    """Return the lines that were added to a file, or are missing, whose contents must be restored."""
    if path.removesuffix("-") not in kept:
        return ""
    old, now = kept[path.removesuffix("-")], lines(path)
    return ": " + ", ".join(
        [f"+{line}" for line in now if line not in old] + [f"-{line}" for line in old if line not in now]
    )


def check(record: Path, allowed: Path) -> list[str]:
    before = json.loads(record.read_text(encoding="utf-8"))
    verbs, brought, found = rules(allowed), packaged(), []
    now = {}
    for path, about in paths():
        now[path] = about
        new = path not in before["seen"]
        folder = os.path.isdir(path) and not os.path.islink(path)
        touched = about.st_ctime > before["time"] and not folder
        if path == str(record) or not (new or touched):
            continue
        if (new and (path in brought or alternative(path))) or explained(path, verbs, before["kept"]):
            continue
        found.append(f"{'new' if new else 'changed'} {path}{difference(path, before['kept'])}")
    gone = sorted(set(before["seen"]) - set(now))
    found += [f"gone {path}" for path in gone if not explained(path, verbs, before["kept"])]
    found += [f"altered {path}" for path in sorted(altered() - set(before["altered"]))]
    found += [f"missing {path}" for verb, path in verbs if verb == "there" and not os.path.lexists(path)]
    return found + nameless()


def nameless() -> list[str]:
    """Return the processes of users that no longer exist."""
    known, found = {entry.pw_uid for entry in pwd.getpwall()}, []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid not in known:
                found.append(f"process {process.name} {(process / 'comm').read_text().strip()}")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def main() -> int:
    if sys.argv[1:2] == ["stamp"]:
        stamp(Path(sys.argv[2]))
        return 0
    found = check(Path(sys.argv[2]), Path(sys.argv[3]))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
