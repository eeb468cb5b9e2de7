# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration that nginx prints: the files that it reads, and why it refuses them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import programs

_FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
_SILENT = "nginx -t failed and said nothing"


def fault(said: str) -> str:
    """Return the first error in nginx's output, without its time. Warnings come before it."""
    errors = re.findall(r"\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?(.+)", said)
    return str(errors[0]).strip() if errors else ""


def place(message: str) -> str:
    """Return the file that an nginx error names; empty if it names none."""
    found = re.search(r" in (/.+?):\d+$", message)
    return found.group(1) if found else ""


@dataclass(frozen=True)
class Dump:
    """The configuration that nginx would read now.

    Args:
        files: path -> its text without comments; empty if nginx refuses its configuration, or is not installed.
        fault: why nginx refuses it; empty if it does not.
    """

    files: dict[str, str]
    fault: str = ""

    @classmethod
    def read(cls) -> Dump:
        told = programs.ask("nginx", "-T", "-q")
        if told.ok:
            return cls(parse(told.out))
        return cls({}, "" if told.code == programs.MISSING else fault(told.err) or _SILENT)

    def default_servers(self, port: int) -> dict[str, str]:
        """Return the files that declare a default server for a port on all addresses -> the line of the declaration."""
        address = rf"[\"']?(?:(?:\*|0\.0\.0\.0|\[::\]):)?{port}[\"']?"
        pattern = re.compile(rf"(?:^|[;{{}}\s])(listen\s+{address}\s[^;#]*\bdefault(?:_server)?\b[^;]*;)")
        found = {path: pattern.search(text) for path, text in self.files.items()}
        return {path: " ".join(match.group(1).split()) for path, match in found.items() if match}

    def values(self, directive: str) -> dict[str, str]:
        """Return the files that set a directive -> its value."""
        pattern = re.compile(rf"(?:^|[;{{}}\s]){directive}\s+(\S+?)\s*;")
        found = {path: pattern.search(text) for path, text in self.files.items()}
        return {path: match.group(1) for path, match in found.items() if match}


def parse(dump: str) -> dict[str, str]:
    """Return the files in the output of `nginx -T`, without comments."""
    parts = _FILE.split(dump)[1:]
    return {path: re.sub(r"(?m)(^|\s)#.*", "", text) for path, text in zip(parts[::2], parts[1::2])}
