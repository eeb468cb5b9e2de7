# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new Act and the repository of a Production around it, from a directory of files in which words stand for names.

A file that exists is never overwritten.
"""

from __future__ import annotations

import keyword
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

from ..module_utils.host import names
from ..module_utils.host.errors import Refusal
from ..module_utils.manifest import checks

LONGEST_PRODUCTION = 15
MANIFEST = "inventory/group_vars/all/production.yml"
SECRETS = "inventory/group_vars/all/secrets.yml"
OF_PROJECT = frozenset({"asgiref", "dj_database_url", "django", "manage", "sqlparse"})
"""Modules that the project imports: a package of this name would hide them."""
OF_DJANGO = frozenset({"admin", "auth", "contenttypes", "messages", "sessions", "staticfiles"})
"""Labels of the apps that the project installs; a second one of the same name is refused by Django."""


@dataclass(frozen=True)
class Wanted:
    """What is made.

    Args:
        act: the name of the Act.
        app: the name of its Python package.
        root: the directory of the repository.
    """

    act: str
    app: str
    root: str

    @classmethod
    def of(cls, act: str, path: Optional[str], base: str) -> Wanted:
        """Check the options.

        Args:
            act: the name of the Act.
            path: the directory of the repository; if None, one with the name of the Act.
            base: the directory to which a relative path belongs.

        Raises:
            Refusal: the name is none, or the Python package can't have it.
        """
        name = act
        wrong = checks.act(name) or _wrong_package(name.replace("-", "_"))
        if name.endswith("-"):
            wrong = "end it with a letter or a digit"
        if wrong:
            raise Refusal(f"act: {name!r}: {wrong}")
        root = os.path.join(base, os.path.expanduser(path or name))
        return cls(name, name.replace("-", "_"), os.path.normpath(root))

    @property
    def words(self) -> dict[str, str]:
        """Return what stands for the words of the skeleton."""
        production = self.act.replace("-", "")[:LONGEST_PRODUCTION]
        return {
            "__act__": self.act,
            "__app__": self.app,
            "__title__": self.act.replace("-", " ").strip().capitalize(),
            "__production__": production + "s" if production in names.RESERVED_PRODUCTIONS else production,
        }


def _wrong_package(app: str) -> Optional[str]:
    """Return why a Python package of a Django project can't have a name."""
    cure = f"choose another name, such as {app.replace('_', '-')}-site"
    if keyword.iskeyword(app):
        return f"Python has this word for itself; {cure}"
    if app in sys.stdlib_module_names or app == "test":
        return f"Python's own library has a module of this name, which the project would hide; {cure}"
    if app in OF_PROJECT:
        return f"the project imports a module of this name, which it would hide; {cure}"
    if app in OF_DJANGO:
        return f"one of Django's own apps has this name; {cure}"
    return None


def write(skeleton: str, wanted: Wanted, check: bool) -> dict[str, Any]:
    """Write the files that do not exist yet.

    Args:
        skeleton: the directory of the skeleton.
        wanted: the Act, and where it is made.
        check: whether nothing is written.

    Returns:
        The result of the module.

    Raises:
        OSError: a file can't be written.
    """
    texts = dict(_texts(skeleton, wanted))
    made = {path: text for path, text in texts.items() if not os.path.lexists(os.path.join(wanted.root, path))}
    for path, text in made.items():
        if not check:
            _write(os.path.join(wanted.root, path), text)
    kept = sorted(set(texts) - set(made))
    told = _told(wanted, texts, sorted(made), kept, check)
    return {
        "changed": bool(made),
        "path": wanted.root,
        "made": sorted(made),
        "kept": kept,
        "diff": [_diff(os.path.join(wanted.root, path), made[path]) for path in sorted(made)],
        "stdout": told,
        "stdout_lines": told.splitlines(),
    }


def _texts(skeleton: str, wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Yield each file: its path in the repository, and its text."""
    for directory, inner, found in os.walk(skeleton):
        inner[:] = [name for name in inner if name != "__pycache__"]
        for name in found:
            path = os.path.join(directory, name)
            with open(path, encoding="utf-8") as file:
                yield _filled(os.path.relpath(path, skeleton), wanted), _filled(file.read(), wanted)


def _filled(text: str, wanted: Wanted) -> str:
    words = wanted.words
    return re.sub("|".join(words), lambda word: words[word[0]], text)


def _write(path: str, text: str) -> None:
    """Write a new file, and leave none that is incomplete: the next run would keep it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except OSError:
            os.unlink(path)
            raise


def _diff(path: str, text: str) -> dict[str, str]:
    return {"before": "", "after": text, "before_header": f"{path} (not there)", "after_header": path}


def _told(wanted: Wanted, texts: dict[str, str], made: list[str], kept: list[str], check: bool) -> str:
    """Return the report for people, with what is left to do."""
    parts = []
    if made:
        count = "1 file" if len(made) == 1 else f"{len(made)} files"
        parts.append(f"{wanted.root}: {count} of Act {wanted.act} {'would be' if check else 'were'} made")
    if kept:
        parts.append(f"kept as they are, because they exist: {', '.join(kept)}")
    for path in (MANIFEST, SECRETS):
        if path in kept and not _names(wanted, path):
            parts.append(f"add these lines to {path}, unless they are there:\n\n{_lines(texts[path])}\n")
    if not check:
        parts.append(f"play it on this machine: cd {shlex.quote(wanted.root)} && ansible-playbook site.yml")
    return "\n".join(parts)


def _names(wanted: Wanted, path: str) -> bool:
    """Return whether a file that was kept names the Act. An encrypted one does not tell."""
    with open(os.path.join(wanted.root, path), encoding="utf-8", errors="replace") as file:
        text = file.read()
    word = wanted.act if path == MANIFEST else f"vault_{wanted.app}_secret_key"
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _lines(text: str) -> str:
    """Return the lines of an Act: all but comments and what names the Production."""
    lines = [line for line in text.splitlines() if not re.match(r"---|#|backstage_production:|secrets_dir:", line)]
    return "\n".join(lines).strip("\n")
