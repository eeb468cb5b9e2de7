# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers of nginx's configuration, read from the output of `nginx -T` as nginx itself reads its files."""

from __future__ import annotations

import fnmatch
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

_FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
# a quoted word may follow another one directly; "${" does not open a block
_TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | (?P<end>[;{}]) | "(?P<double>(?:\\.|[^"\\])*)" | '(?P<single>(?:\\.|[^'\\])*)'"""
    r""" | (?P<word>(?:\\.|\$\{|[^\s;{}\\])(?:\\.|\$\{[^}]*\}|[^\s;{\\])*)""",
    re.VERBOSE | re.DOTALL,
)
_DEPTH = 20  # nginx itself takes no endless includes; a file that is included in many places is read in each


@dataclass
class Server:
    """One server of nginx.

    Args:
        path: the file in which it begins.
        names: the names that it claims, with the file that says so.
        ports: the TCP ports on which it listens, with the file that says so.
    """

    path: str
    names: dict[str, str] = field(default_factory=dict)
    ports: dict[int, str] = field(default_factory=dict)


@dataclass
class _Directive:
    path: str
    words: list[str]
    block: list[_Directive] = field(default_factory=list)


def read(dump: str, without: str = "") -> list[Server]:
    """Return the servers of a configuration, with what they include.

    Args:
        dump: what nginx prints.
        without: a directory whose files are left out.
    """
    parts = _FILE.split(dump)[1:]
    texts = dict(zip(parts[::2], parts[1::2]))
    if not texts:
        return []
    ours = {place for place in set(map(os.path.dirname, texts)) if os.path.realpath(place) == without}
    files = {path: _parse(path, text) for path, text in texts.items() if os.path.dirname(path) not in ours}
    main = next(iter(files))
    return list(_servers(_expanded(files[main], files, os.path.dirname(main), 0)))


def _parse(path: str, text: str) -> list[_Directive]:
    top: list[_Directive] = []
    open_blocks, words = [top], list[str]()
    for end, word in _tokens(text):
        if not end:
            words.append(word)
            continue
        if words:
            open_blocks[-1].append(_Directive(path, words))
        if end == "{" and words:
            open_blocks.append(open_blocks[-1][-1].block)
        elif end == "}" and len(open_blocks) > 1:
            open_blocks.pop()
        words = []
    return top


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words of directives, and the marks that end them."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "end":
            yield match.group(), ""
        elif kind:
            yield "", re.sub(r"\\(.)", r"\1", match.group(kind), flags=re.DOTALL)


def _expanded(
    directives: list[_Directive], files: dict[str, list[_Directive]], directory: str, depth: int
) -> Iterator[_Directive]:
    """Yield directives, with those of included files in their place."""
    for directive in directives:
        if directive.words[0] == "include" and len(directive.words) == 2 and depth < _DEPTH:
            for path in _included(directive.words[1], files, directory):
                yield from _expanded(files[path], files, directory, depth + 1)
        else:
            block = list(_expanded(directive.block, files, directory, depth))
            yield _Directive(directive.path, directive.words, block)


def _included(mask: str, files: dict[str, list[_Directive]], directory: str) -> list[str]:
    """Return the files that a mask means, among those that nginx has printed."""
    parts = os.path.join(directory, mask).split("/")
    return [path for path in sorted(files) if _matches(path.split("/"), parts)]


def _matches(names: list[str], masks: list[str]) -> bool:
    return len(names) == len(masks) and all(map(fnmatch.fnmatchcase, names, masks))


def _servers(directives: Iterator[_Directive]) -> Iterator[Server]:
    for directive in directives:
        if directive.words[0] == "http":
            yield from (_server(inner) for inner in directive.block if inner.words[0] == "server")


def _server(directive: _Directive) -> Server:
    found = Server(directive.path)
    listens = False
    for inner in directive.block:
        if inner.words[0] == "server_name":
            for name in inner.words[1:]:
                found.names.setdefault(_name(name), inner.path)
        elif inner.words[0] == "listen" and len(inner.words) > 1:
            listens = True
            for port in _ports(inner.words[1]):
                found.ports.setdefault(port, inner.path)
    if not listens:
        found.ports[80] = directive.path
    return found


def _name(name: str) -> str:
    """Return a name as nginx compares it. With a dot in front, it means the name itself, too."""
    name = socket.gethostname() if name == "$hostname" else name
    return name.lower().removeprefix(".")


def _ports(address: str) -> range:
    """Return the TCP ports of an address to listen on; 80 if it has none."""
    if address.startswith("unix:"):
        return range(0)
    match = re.search(r"(?:^|:)(\d+)(?:-(\d+))?\Z", address)
    if not match or re.search(r"\[[^\]]*\Z", address):
        return range(80, 81)
    first, last = int(match[1]), int(match[2] or match[1])
    return range(first, min(last, 65535) + 1)
