"""Read what a role has to know about its host, in one process, and change nothing.

Every separate read of a host costs about as much as a ping, so the roles ask everything at once: the task in
tasks/main.yml runs this file from standard input with its questions as one JSON argument and gets one JSON object
back. A question that was not asked is not answered. Python 3.9 and its standard library, nothing else.
"""
# Copyright: Backstage contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

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
from typing import Any, Dict, Iterator, List, Optional

Answer = Dict[str, Any]
TICKS = os.sysconf("SC_CLK_TCK")

# What uWSGI's emperor starts when it finds it in its directory; anything else there is ignored by it, and by us.
VASSAL_SUFFIXES = (".ini", ".xml", ".yml", ".yaml", ".js", ".json")
OUR_ROOT = "/srv/backstage/"


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command for its output, in the C locale; a missing command is exit status 127."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    try:
        return subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=60, check=False)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(argv, 127, "", str(error))


def text_of(path: str) -> str:
    """The text of a file; empty when it can't be read, as files in /proc vanish with their process."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError:
        return ""


# --- the system ------------------------------------------------------------------------------------------------------

def system() -> Answer:
    """Distribution, service manager, and whether the kernel speaks IPv6."""
    pairs = dict(line.split("=", 1) for line in text_of("/etc/os-release").splitlines() if "=" in line)
    release = {key: value.strip("\"'") for key, value in pairs.items()}
    return {
        "distribution": release.get("ID", ""),
        "version": release.get("VERSION_ID", ""),
        "name": release.get("PRETTY_NAME", "an unknown system"),
        "systemd": os.path.isdir("/run/systemd/system"),
        "ipv6": os.path.exists("/proc/net/if_inet6"),
    }


def missing_packages(names: List[str]) -> List[str]:
    """Those of the packages (NAME, NAME:ARCH or NAME=VERSION) that dpkg doesn't call installed."""
    plain = {name: re.split("[=/:]", name)[0] for name in names}
    known = run("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", "--", *plain.values())
    installed = {line.split()[0] for line in known.stdout.splitlines() if line.endswith(" installed")}
    return [name for name, bare in plain.items() if bare not in installed]


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


def names(directory: str, suffix: str) -> List[str]:
    """The files of a directory with this ending; none when there is no such directory."""
    try:
        return sorted(name for name in os.listdir(directory) if name.endswith(suffix))
    except (FileNotFoundError, NotADirectoryError):
        return []


# --- processes -------------------------------------------------------------------------------------------------------

def processes() -> Iterator[int]:
    """Process ids of this host alone: a machine that runs containers sees theirs in /proc, too."""
    ours = os.readlink("/proc/self/ns/pid")
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == ours:
                    yield int(entry)
            except OSError:
                continue


def arguments(pid: int) -> List[str]:
    """The command line of a process."""
    return text_of(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")


def children(pid: int) -> List[int]:
    """The processes that this one started."""
    return [int(child) for child in text_of(f"/proc/{pid}/task/{pid}/children").split()]


def started(pid: int) -> Optional[float]:
    """When a process started, by the clock that stamps files; None when it is gone."""
    fields = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return None
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + int(fields[19]) / TICKS


def older_than(pid: int, paths: List[str]) -> bool:
    """Whether a process started before one of the files it reads was written last."""
    since = started(pid)
    written = [os.stat(path).st_mtime for path in paths if os.path.exists(path)]
    # A time to come (a clock that was set back) proves nothing, and would be "newer" for ever.
    return since is not None and any(since < moment <= time.time() for moment in written)


def service(question: Answer) -> Answer:
    """Whether a service is known, enabled and running, and whether it runs what its files say."""
    name = question["name"]
    if os.path.isdir("/run/systemd/system"):
        shown = run("systemctl", "show", "--property=LoadState,ActiveState,UnitFileState,MainPID,NeedDaemonReload", name)
        properties = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
        answer = {
            "known": properties.get("LoadState") == "loaded",
            "enabled": properties.get("UnitFileState") == "enabled",
            "running": properties.get("ActiveState") in ("active", "reloading"),
            "reread": properties.get("NeedDaemonReload") == "yes",
            "pid": int(properties.get("MainPID") or 0),
        }
    else:
        script = f"/etc/init.d/{name}"
        pid = text_of(question["pidfile"]).strip()
        answer = {
            "known": os.path.exists(script),
            "enabled": bool(glob.glob(f"/etc/rc[2-5].d/S[0-9][0-9]{name}")),
            "running": os.path.exists(script) and run(script, "status").returncode == 0,
            "reread": False,
            "pid": int(pid) if pid.isdigit() else 0,
        }
    answer["stale"] = answer["running"] and stale(answer["pid"], question["files"], question.get("workers", ""))
    return answer


def stale(pid: int, paths: List[str], workers: str) -> bool:
    """Whether a service reads its files anew by a restart of the process, or (nginx) of its workers."""
    if not workers:
        return older_than(pid, paths)
    lines = {child: " ".join(arguments(child)) for child in children(pid)}
    serving = [child for child, line in lines.items() if workers in line and "shutting down" not in line]
    return any(older_than(child, paths) for child in serving)


# --- uWSGI -----------------------------------------------------------------------------------------------------------

def uv_version(tools: str) -> str:
    """The version of uv in a tools environment, by the record that pip writes last."""
    records = glob.glob(f"{glob.escape(tools)}/lib/python3*/site-packages/uv-*.dist-info/RECORD")
    if not records or not os.access(f"{tools}/bin/uv", os.X_OK):
        return ""
    return os.path.basename(os.path.dirname(records[0]))[len("uv-"):-len(".dist-info")]


def foreign_vassals(directory: str) -> List[str]:
    """Vassals that somebody else keeps in our directory. Ours are links to a Sess below /srv/backstage."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [entry.path for entry in entries if entry.name.endswith(VASSAL_SUFFIXES) and not entry.name.startswith(".")
            and not (entry.is_symlink() and os.readlink(entry.path).startswith(OUR_ROOT))]


def watched(argv: List[str]) -> List[str]:
    """The directories that an emperor with this command line watches, those of its ini files included."""
    found, pairs = [], list(zip(argv, argv[1:] + [""]))
    for argument, following in pairs:
        if argument in ("--emperor", "--vassals-dir"):
            found.append(following)
        elif argument.startswith(("--emperor=", "--vassals-dir=")):
            found.append(argument.partition("=")[2])
        elif argument.endswith(".ini"):
            ini = argument.partition("=")[2] or argument
            found += re.findall(r"^\s*(?:emperor|vassals-dir)\s*=\s*(\S+)", text_of(ini), re.MULTILINE)
    return [os.path.realpath(os.path.dirname(path) if "*" in path else path) for path in found]


def other_emperors(directory: str, ini: str) -> List[str]:
    """Who else watches our directory: each of two emperors would start every vassal and steal the other's doors."""
    wanted = os.path.realpath(directory)
    found = []
    packaged = "/etc/uwsgi-emperor/emperor.ini"
    if wanted in watched([packaged]) and not missing_packages(["uwsgi-emperor"]):
        found.append(f"the package uwsgi-emperor ({packaged})")
    for pid in processes():
        argv = arguments(pid)
        if os.path.basename(argv[0]).startswith("uwsgi") and ini not in argv and wanted in watched(argv[1:]):
            found.append(f"process {pid} ({' '.join(argv)})")
    return found


def emperor(question: Answer) -> Answer:
    """What the role stage asks: uv's version, and everything that stands in the way."""
    directory = question["vassals"]
    ours = [name for name in names(directory, ".ini") if name.startswith("backstage.")]
    refusals = [f"{path} in stage_vassals is not Backstage's: its emperor would start it as root. Move it elsewhere, "
                "or set stage_vassals to a directory of Backstage's own." for path in foreign_vassals(directory)]
    refusals += [f"Another emperor watches {directory}: {who}. Two emperors would start every vassal twice and steal "
                 "each other's sockets. Stop and disable it, or set stage_vassals to another directory."
                 for who in other_emperors(directory, question["ini"])]
    return {"uv": uv_version(question["tools"]), "playing": ours, "refusals": refusals}


# --- nginx -----------------------------------------------------------------------------------------------------------

DEFAULT_SITE, DEFAULT_LINK = "/etc/nginx/sites-available/default", "/etc/nginx/sites-enabled/default"


def default_site() -> str:
    """The package's own site: "untouched", "changed" (by whoever answers for it now) or "none"."""
    if not os.path.lexists(DEFAULT_LINK):
        return "none"
    shipped = dict(re.findall(r"^ (\S+) ([0-9a-f]{32})", run(
        "dpkg-query", "--show", "--showformat=${Conffiles}", "nginx-common").stdout, re.MULTILINE))
    if not os.path.islink(DEFAULT_LINK) or os.path.realpath(DEFAULT_LINK) != DEFAULT_SITE:
        return "changed"
    with open(DEFAULT_SITE, "rb") as handle:
        digest = hashlib.md5(handle.read(), usedforsecurity=False).hexdigest()
    return "untouched" if shipped.get(DEFAULT_SITE) == digest else "changed"


def default_servers(dump: str, port: int) -> Dict[str, str]:
    """The files of `nginx -T` that declare a default server on all addresses of a port, with their line."""
    found: Dict[str, str] = {}
    path = ""
    pattern = re.compile(rf"^\s*listen\s+(?:(?:\*|0\.0\.0\.0|\[::\]):)?{port}\s[^;#]*\bdefault(?:_server)?\b[^;]*;")
    for line in dump.splitlines():
        if line.startswith("# configuration file "):
            path = line[len("# configuration file "):].rstrip(":")
        elif pattern.match(line):
            found.setdefault(path, line.strip())
    return found


def listeners(port: int) -> List[str]:
    """The socket inodes that listen on a TCP port, on any address."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in text_of(table).splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.append(fields[9])
    return found


def holder(inodes: List[str]) -> str:
    """Who holds one of these sockets: "apache2 (process 4711)"."""
    links = {f"socket:[{inode}]" for inode in inodes}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            for descriptor in os.scandir(f"/proc/{entry}/fd"):
                if os.readlink(descriptor.path) in links:
                    return f"{text_of(f'/proc/{entry}/comm').strip()} (process {entry})"
        except OSError:
            continue
    return "a process that can't be seen from here"


def removed_default_site(path: str) -> bool:
    """Whether an earlier run noted that it removed the package's own site."""
    try:
        return bool(json.loads(text_of(path) or "{}").get("removed_default_site"))
    except ValueError:
        return False


def broken(constants: str, directory: str, tested: subprocess.CompletedProcess[str]) -> Answer:
    """Whose mistake it is when `nginx -T` fails: a refusal for a stranger's, a note for our own.

    A broken Venue is neither: its manager finds and mends it.
    """
    if tested.returncode in (0, 127):
        return {"broken": False, "refusals": []}
    error = (tested.stderr.strip().splitlines() or [f"exit status {tested.returncode}"])[0]
    error = re.sub(r"^(?:\S+ \S+ )?\[(\w+)\] (?:\d+#\d+: )?", "", error)
    place = re.search(r" in (/\S+?):\d+$", error)
    if place and (place.group(1) == constants or place.group(1).startswith(f"{directory}/")):
        return {"broken": place.group(1) == constants, "refusals": []}
    return {"broken": False, "refusals": [
        f"nginx's configuration was broken before this run: {error}. Mend it first; nothing in it was changed."]}


def nginx(question: Answer) -> Answer:
    """What the role front_of_house asks: the state of the package's site, and everything that stands in the way."""
    port, constants, directory = question["port"], question["constants"], question["directory"]
    site, tested = default_site(), run("nginx", "-T", "-q")
    answer = broken(constants, directory, tested)
    for path, line in default_servers(tested.stdout, port).items():
        if path != constants and not (path == DEFAULT_LINK and site == "untouched"):
            answer["refusals"].append(
                f"{path} declares a default server on port {port} already ({line}), and there can be but one. Take "
                "default_server out of it, or set front_of_house_http_port to another port.")
    who = holder(inodes) if (inodes := listeners(port)) else ""
    taken_by = "" if who.startswith("nginx ") else who
    if taken_by:
        answer["refusals"].append(f"Port {port} is taken by {who}. Stop it, or set front_of_house_http_port to "
                                  "another port.")
    return {**answer, "default_site": site, "taken_by": taken_by, "venues": names(f"{directory}/venues", ".conf"),
            "removed_default_site": removed_default_site(question["facts"])}


# --- the one call ----------------------------------------------------------------------------------------------------

def survey(questions: Answer) -> Answer:
    """Answer what was asked."""
    answer: Answer = {"system": system(), "refusals": []}
    answer["missing"] = missing_packages(questions["packages"])
    answer["python_apt"] = not missing_packages(["python3-apt"]) if answer["missing"] else True
    answer["paths"] = [describe(path) for path in questions["paths"]]
    answer["logs"] = [describe(path, "log") for path in questions["logs"]]
    answer["leftovers"] = [path for pattern in questions["leftovers"] for path in sorted(glob.glob(pattern))]
    answer["service"] = service(questions["service"])
    for name, ask in (("emperor", emperor), ("nginx", nginx)):
        if name in questions:
            answer[name] = ask(questions[name])
            answer["refusals"] += answer[name].pop("refusals")
    return answer


if __name__ == "__main__":
    json.dump(survey(json.loads(sys.argv[1])), sys.stdout)
