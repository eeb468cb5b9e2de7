# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role stage asks besides: uv's version, what plays, and everything that stands in the emperor's way."""

import glob
import os
import re
from typing import Any

from survey import arguments, missing_packages, names, processes, reply, text_of

# What uWSGI's emperor starts when it finds it in its directory; anything else is ignored by it, and by us.
VASSALS = (".ini", ".xml", ".yml", ".yaml", ".js", ".json")
OURS = "/srv/backstage/"
PACKAGED = "/etc/uwsgi-emperor/emperor.ini"


def uv_version(tools: str) -> str:
    """The version of uv in an environment, by the record that pip writes last; empty when it isn't whole."""
    records = glob.glob(f"{glob.escape(tools)}/lib/python3*/site-packages/uv-*.dist-info/RECORD")
    if not records or not os.access(f"{tools}/bin/uv", os.X_OK):
        return ""
    return os.path.basename(os.path.dirname(records[0]))[len("uv-") : -len(".dist-info")]


def foreign_vassals(directory: str) -> list[str]:
    """Vassals that somebody else keeps in our directory. Ours are links to a Sess below /srv/backstage."""
    paths = [f"{directory}/{name}" for suffix in VASSALS for name in names(directory, suffix) if name[0] != "."]
    return [path for path in paths if not (os.path.islink(path) and os.readlink(path).startswith(OURS))]


def watched(argv: list[str]) -> list[str]:
    """The directories that an emperor with these arguments watches, by those of its ini files, too."""
    found = []
    for argument, following in zip(argv, [*argv[1:], ""]):
        option, _equals, value = argument.partition("=")
        if option in ("--emperor", "--vassals-dir"):
            found.append(value or following)
        elif argument.endswith(".ini"):
            pattern = r"^\s*(?:emperor|vassals-dir)\s*=\s*(\S+)"
            found += re.findall(pattern, text_of(value or argument), re.MULTILINE)
    return [os.path.realpath(os.path.dirname(path) if "*" in path else path) for path in found]


def other_emperors(directory: str, ini: str) -> list[str]:
    """Who else watches our directory."""
    wanted, found = os.path.realpath(directory), []
    if wanted in watched([PACKAGED]) and not missing_packages(["uwsgi-emperor"]):
        found.append(f"the package uwsgi-emperor ({PACKAGED})")
    for pid in processes():
        argv = arguments(pid)
        if os.path.basename(argv[0]).startswith("uwsgi") and ini not in argv and wanted in watched(argv[1:]):
            found.append(f"process {pid} ({' '.join(argv)})")
    return found


def refusals(directory: str, ini: str) -> list[str]:
    """What would go wrong here, a sentence each with its cure."""
    if not re.fullmatch(r"/[A-Za-z0-9._/-]+", directory):
        return [f"stage_vassals is {directory!r}: give an absolute path of letters, digits, dots, dashes and slashes."]
    foreign = [
        f"{path} in stage_vassals is not Backstage's: its emperor would start it as root. Move it elsewhere, or set "
        "stage_vassals to a directory of Backstage's own."
        for path in foreign_vassals(directory)
    ]
    emperors = [
        f"Another emperor watches {directory}: {who}. Two emperors would start every vassal twice and steal each "
        "other's sockets. Stop and disable it, or set stage_vassals to another directory."
        for who in other_emperors(directory, ini)
    ]
    return foreign + emperors


def somaxconn() -> int:
    """The longest queue that the kernel allows a socket; uWSGI refuses to start with a longer one."""
    return int(text_of("/proc/sys/net/core/somaxconn") or 4096)


def stage(question: dict[str, Any]) -> dict[str, Any]:
    """Answer the role."""
    directory = question["vassals"]
    return {
        "refusals": refusals(directory, question["ini"]),
        "playing": [name for name in names(directory, ".ini") if name.startswith("backstage.")],
        "uv": uv_version(question["tools"]),
        "somaxconn": somaxconn(),
    }


if __name__ == "__main__":
    reply(stage)
