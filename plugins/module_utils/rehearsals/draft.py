# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Act of the manifest while it is written, line by line, each line with its reason."""

from __future__ import annotations

import copy
import posixpath
import secrets
import textwrap
from dataclasses import dataclass, field
from typing import Any

from .survey import Survey

Item = dict[str, Any]

NAMES = ("stage", *("backstage_stage" + number for number in ("", *"23456789")))
"""Names for the settings module laid over the project's own. The first free one is used."""
PLACEHOLDER = "rehearsal-placeholder"
"""A placeholder for a value that only people know. No program prints it by itself."""
CONFIGURATION = "DJANGO_CONFIGURATION"
CLASS = "Stage"
"""The name of the django-configurations class laid over the project's own."""
_CHANGED = ("item", "because", "overrides", "asked", "wishes")


@dataclass
class Draft:
    """The lines of an Act so far.

    Args:
        item: the Act as in the manifest.
        survey: what its source contains.
        because: key of the manifest -> the reason for the line.
        overrides: setting -> the lines that set it, and the reason.
        asked: variables whose values somebody has to give.
        wishes: what else somebody has to do, one sentence each.
    """

    item: Item
    survey: Survey
    because: dict[str, list[str]] = field(default_factory=dict)
    overrides: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.item["name"])

    @property
    def subdir(self) -> str:
        return str(self.item.get("source", {}).get("subdir") or "")

    @property
    def directory(self) -> str:
        """Return the working directory, relative to the root of the source."""
        return posixpath.normpath(posixpath.join(self.subdir, self.item.get("chdir") or "."))

    def set(self, key: str, value: Any, because: str) -> None:
        """Set a key of the manifest. Keys such as ``source.subdir`` are nested."""
        outer, _dot, inner = key.partition(".")
        if inner:
            self.item[outer] = {**self.item.get(outer, {}), inner: value}
        else:
            self.item[key] = value
        self._say(outer, because)

    def add(self, key: str, values: list[Any], because: str) -> None:
        """Add the missing values to a list."""
        new = [value for value in values if value not in self.item.get(key, [])]
        if new:
            self.item[key] = [*self.item.get(key, []), *new]
            self._say(key, because)

    def give(self, name: str, value: str, because: str) -> None:
        """Give a variable a value that may be shown."""
        self.item["env"] = {**self.item.get("env", {}), name: value}
        self._say("env", because)

    def keep_secret(self, name: str, because: str) -> None:
        """Give a variable a value that is not shown."""
        if name not in self.item.get("secrets", {}):
            self.item["secrets"] = {**self.item.get("secrets", {}), name: secrets.token_urlsafe(40)}
            self._say("secrets", because)

    def ask_for(self, name: str) -> None:
        """Record that somebody has to give the value of this variable. Its value now only lets the run continue."""
        if name not in self.asked:
            self.asked.append(name)

    def wish(self, said: str) -> None:
        """Record what somebody has to do."""
        if said not in self.wishes:
            self.wishes.append(said)

    def override(self, setting: str, line: str, because: str) -> None:
        """Override a setting of the project. An existing override keeps its reason."""
        if self.overrides.get(setting, ("", ""))[0] != line:
            self.overrides[setting] = (line, because)

    def _say(self, key: str, because: str) -> None:
        said = self.because.setdefault(key, [])
        if because not in said:
            said.append(because)

    def theirs(self) -> str:
        """Return the project's own settings module."""
        return str(self.item.get("settings") or self.survey.settings(self.directory))

    def laid(self) -> Item:
        """Return the Act as the manifest would have it now, with the settings module that overrides its own."""
        item, theirs = copy.deepcopy(self.item), self.theirs()
        if not (self.overrides and theirs):
            return item
        module, path = self._place(theirs)
        lines = "".join(f"\n# {because}\n{line}\n" for line, because in self.overrides.values())
        base = self.configuration(theirs)
        if base:  # settings are attributes of classes
            lines = f"\n\nclass {CLASS}({base}):{textwrap.indent(lines, '    ')}"
            item["env"] = {**item.get("env", {}), CONFIGURATION: CLASS}
        content = f"import os\n\nfrom {theirs} import *\n{lines}"
        item["files"] = [*item.get("files", []), {"path": path, "content": content}]
        item["settings"] = module
        manage = str(item.get("manage", "manage.py"))
        if not manage.endswith(".py") and not manage.startswith("-m "):
            # a console script imports from its own directory, not from its working directory
            item["env"] = {**item.get("env", {}), "PYTHONPATH": posixpath.normpath(f"{{code}}/{self.directory}")}
        return item

    def configuration(self, theirs: str) -> str:
        """Return the django-configurations class that plays; empty if the settings are not classes."""
        chosen = self.item.get("env", {}).get(CONFIGURATION)
        return str(chosen or self.survey.configuration(theirs, self.directory))

    def state(self) -> Item:
        """Return a copy of everything that cures change."""
        return copy.deepcopy({key: getattr(self, key) for key in _CHANGED})

    def take_back(self, before: Item, after: Item) -> None:
        """Undo the difference between two states, but keep what was written later."""
        for key in _CHANGED:
            setattr(self, key, _without(getattr(self, key), before[key], after[key]))

    def _place(self, theirs: str) -> tuple[str, str]:
        """Return the name and file of the module that overrides another one, relative to the source's subdir."""
        parent, _dot, _last = theirs.rpartition(".")
        file = self.survey.module(theirs, self.directory)
        if not parent or file is None:
            directory = posixpath.dirname(file) if file else self.directory
            return "stage_settings", posixpath.relpath(
                posixpath.join(directory, "stage_settings.py"), self.subdir or "."
            )
        directory = posixpath.dirname(posixpath.dirname(file) if file.endswith("/__init__.py") else file)
        name = next(name for name in NAMES if not self.survey.has(f"{directory}/{name}.py"))
        return f"{parent}.{name}", posixpath.relpath(f"{directory}/{name}.py", self.subdir or ".")

    def written(self) -> Item:
        """Return the Act for people. Secrets are references to a vault."""
        item = self.laid()
        if item.get("settings") != self.item.get("settings"):
            self._say("settings", f"a file below that overrides {self.theirs()}")
            base = self.configuration(self.theirs())
            if base:
                self._say("env", f"its class overrides {base}")
        if item.get("secrets"):
            item["secrets"] = {name: self.vault(name) for name in item["secrets"]}
        for seed in item.get("seed", []):
            if seed.get("secrets"):
                seed["secrets"] = {name: self.vault(name) for name in seed["secrets"]}
        return item

    def vault(self, name: str) -> str:
        return "{{ vault_" + f"{self.name}_{name}".lower().replace("-", "_") + " }}"


def _without(now: Any, before: Any, after: Any) -> Any:
    """Return the current value without the difference between two earlier ones; nothing is None."""
    if now == after:
        return copy.deepcopy(before)
    if isinstance(now, dict) and isinstance(after, dict):
        older = before or {}
        kept = {key: _without(value, older.get(key), after.get(key)) for key, value in now.items()}
        return {key: value for key, value in kept.items() if value is not None}
    if isinstance(now, list) and isinstance(after, list):
        return [value for value in now if value not in after or value in (before or [])]
    return now
