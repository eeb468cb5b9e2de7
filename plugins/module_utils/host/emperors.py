# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory of Backstage's emperor: the vassals in it, and other emperors that watch it."""

from __future__ import annotations

import os
import re

from . import files, packages, processes, vassals

PACKAGED = "/etc/uwsgi-emperor/emperor.ini"
_WATCHES = re.compile(r"^\s*(?:emperor|vassals-dir)\s*=\s*(\S+)", re.MULTILINE)


def playing(directory: str) -> list[str]:
    """Return Backstage's vassals in it. The name of an unfinished one begins with a dot."""
    return [name for name in files.names_in(directory) if name.startswith("backstage.") and name.endswith(".ini")]


def watched(argv: list[str]) -> list[str]:
    """Return the directories that an emperor with these arguments watches, including those of its ini files."""
    found: list[str] = []
    for argument, following in zip(argv, [*argv[1:], ""]):
        option, _equals, value = argument.partition("=")
        if option in ("--emperor", "--vassals-dir"):
            found.append(value or following)
        elif argument.endswith(".ini"):
            found += _WATCHES.findall(processes.text_of(value or argument))
    return [os.path.realpath(os.path.dirname(path) if "*" in path else path) for path in found]


def others(directory: str, ini: str) -> list[str]:
    """Return the emperors that watch the directory, except the one with this ini."""
    wanted, found = os.path.realpath(directory), []
    if wanted in watched([PACKAGED]) and not packages.missing(["uwsgi-emperor"]):
        found.append(f"the package uwsgi-emperor ({PACKAGED})")
    for pid in processes.here():
        argv = processes.arguments(pid)
        if os.path.basename(argv[0]).startswith("uwsgi") and ini not in argv and wanted in watched(argv[1:]):
            found.append(f"process {pid} ({' '.join(argv)})")
    return found


def refusals(directory: str, ini: str) -> list[str]:
    """Return the problems of the directory, one sentence each with its cure."""
    if not re.fullmatch(r"/[A-Za-z0-9._/-]+", directory):
        return [f"stage_vassals is {directory!r}: give an absolute path of letters, digits, dots, dashes and slashes."]
    foreign = [
        f"{path} in stage_vassals is not Backstage's: its emperor would start it as root. Move it elsewhere, or set "
        "stage_vassals to a directory of Backstage's own."
        for path in vassals.foreign(directory)
    ]
    emperors = [
        f"Another emperor watches {directory}: {who}. Two emperors would start every vassal twice and steal each "
        "other's sockets. Stop and disable it, or set stage_vassals to another directory."
        for who in others(directory, ini)
    ]
    return foreign + emperors
