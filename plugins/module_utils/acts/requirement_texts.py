# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read requirements files like pip: follow every included file, and make every path relative to the code."""

from __future__ import annotations

import codecs
import os
import posixpath
import re
from dataclasses import dataclass, field

from ..host.errors import BackstageError

_INCLUDE = re.compile(r"(?:-r\s*|--requirement(?:\s+|=))(\S+)\s*\Z")
_CONSTRAINT = re.compile(r"(?:-c\s*|--constraint(?:\s+|=))(\S+)\s*\Z")
_FIND_LINKS = re.compile(r"(?:-f\s*|--find-links(?:\s+|=))(\S+)\s*\Z")
_EDITABLE = re.compile(r"(?:-e\s*|--editable(?:\s+|=))(\S.*)\Z")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[^]]*\])?\s*@\s*(?P<url>file:\S*)\s*(?P<rest>;.*)?\Z")
_PLACE = re.compile(r"(?P<path>(?:file:)?[^\s;[]+)(?P<extras>\[[^]]*\])?(?P<rest>\s*;.*)?\Z")
# pip takes text for a path if it has a slash or the suffix of an archive, even without a dot in front
_PATH = re.compile(r"(?![\w.+-]+://)[^\s;@[=<>!~]*(/|\.(whl|zip|tar|tgz|tar\.(gz|bz2|xz))(?=[\s;[]|\Z))")
# the user name of ssh is not a secret
_CREDENTIALS = re.compile(r"(?<!ssh)://[^/@\s]*@|://[^/@\s:]*:[^/@\s]*@", re.IGNORECASE)
# byte order marks, which Windows writes; UTF-32 first, because its mark begins like that of UTF-16
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass
class Texts:
    """The lines of requirements files and of constraints.

    Args:
        code: the directory of the source. No file outside it is read.
        requirements: the lines so far. Paths in the source begin with a dot and are relative to the code.
        constraints: likewise.
        local: whether a line refers to the source itself.
    """

    code: str
    requirements: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    local: bool = False
    _seen: set[tuple[str, bool]] = field(default_factory=set)

    def add(self, path: str) -> None:
        """Add a requirements file.

        Args:
            path: relative to the code.

        Raises:
            BackstageError: a file is missing, or a line can't be used.
        """
        self._flatten(posixpath.normpath(path), self.requirements)

    def add_lines(self, lines: list[str], where: str, constraints: bool = False) -> None:
        """Add lines that come from no requirements file, but from a pyproject.toml or an exported lock.

        Args:
            lines: in the format of a requirements file.
            where: the file that they come from, relative to the code. Their paths are relative to its directory.
            constraints: whether they only limit the versions.
        """
        known = self.constraints if constraints else self.requirements
        known += [self._usable(line, posixpath.dirname(where), where) for line in lines]

    def _flatten(self, path: str, lines: list[str]) -> None:
        """Add the lines of a file and of those it includes. A file may be both kinds, but each only once."""
        if (path, lines is self.constraints) in self._seen:
            return
        self._seen.add((path, lines is self.constraints))
        directory = posixpath.dirname(path)
        for line in self._read(path):
            include, constraint = _INCLUDE.match(line), _CONSTRAINT.match(line)
            if include:
                self._flatten(posixpath.normpath(posixpath.join(directory, include.group(1))), lines)
            elif constraint:
                self._flatten(posixpath.normpath(posixpath.join(directory, constraint.group(1))), self.constraints)
            else:
                lines.append(self._usable(line, directory, path))

    def _read(self, path: str) -> list[str]:
        if path.startswith("/") or path.split("/", 1)[0] == "..":
            raise BackstageError(f"the requirements file '{path}' is outside the project", step="environment")
        try:
            with open(os.path.join(self.code, path), "rb") as file:
                return split(_decoded(file.read()))
        except FileNotFoundError:
            raise BackstageError(f"the requirements file '{path}' is not in the project", step="environment") from None
        except UnicodeDecodeError:
            raise BackstageError(f"{path} is not UTF-8 text: save it as UTF-8", step="environment") from None

    def _usable(self, line: str, directory: str, where: str) -> str:
        """Return a line with paths in the source made relative to the code."""
        if _CREDENTIALS.search(line):
            raise BackstageError(
                f"{where}: a line holds credentials in its URL, which others could read: remove them, and write"
                " them into 'index' of the Act (username, password)",
                step="environment",
            )
        links = _FIND_LINKS.match(line)
        if links:
            place = links.group(1)
            return (
                line
                if "://" in place or place.startswith("/")
                else f"--find-links {self._inside(place, directory, where)}"
            )
        named = _NAMED.match(line)
        if named:
            place = self._inside(named["url"], directory, where)
            # a relative path needs no URL; its name is in the project
            return f"{place}{named['extras'] or ''}{named['rest'] or ''}"
        editable = _EDITABLE.match(line)
        place = editable.group(1) if editable else line
        if not editable and not place.startswith((".", "/", "file:")) and not _PATH.match(place):
            return line
        if editable and re.match(r"[a-z]+\+|https?:", place):
            return place  # the same code without "-e", because an editable clone would be inside the environment
        found = _PLACE.match(place)
        if not found:
            raise BackstageError(f"{where}: '{line}' can't be read", step="environment")
        # never editable, because the environment outlives a move of the code, and other releases have their own code
        return self._inside(found["path"], directory, where) + (found["extras"] or "") + (found["rest"] or "")

    def _inside(self, place: str, directory: str, where: str) -> str:
        """Return a path in the source, relative to the code's directory and with a dot in front."""
        path = re.sub(r"^file:(//)?", "", place)
        # pip resolves it from its working directory, usually the project's top; other tools from the file
        for start in (directory, ""):
            found = posixpath.normpath(posixpath.join(start, path))
            if not found.startswith(("/", "../")) and found != ".." and os.path.exists(os.path.join(self.code, found)):
                self.local = True
                return "." if found == "." else "./" + found
        raise BackstageError(f"{where}: '{place}' is not in the source", step="environment")


def _decoded(raw: bytes) -> str:
    return raw.decode(next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "utf-8"))


def split(text: str) -> list[str]:
    """Return the lines of a requirements file without comments, with continued lines joined."""
    joined = re.sub(r"\\\r?\n", " ", text)
    stripped = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in stripped if line]
