# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Act of the manifest that is being written: line by line, each with its reason."""

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
"""Of the settings module that is laid over the project's own, if that name is free."""
PLACEHOLDER = "rehearsal-placeholder"
"""Stands for a value that only people know: it occurs in no program's own words."""
CONFIGURATION = "DJANGO_CONFIGURATION"
CLASS = "Stage"
"""Of django-configurations, laid over the project's own."""
_CHANGED = ("item", "because", "overrides", "asked", "wishes")


@dataclass
class Draft:
    """What is known of an Act so far.

    Args:
        item: the Act as the manifest has it.
        survey: what its source holds.
        because: key of the manifest -> why the line is there.
        overrides: setting -> the lines that set it, and why.
        asked: variables whose values somebody has to give.
        wishes: what else somebody has to give, one sentence each.
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
        """The working directory, from the root of the source."""
        return posixpath.normpath(posixpath.join(self.subdir, self.item.get("chdir") or "."))

    def set(self, key: str, value: Any, because: str) -> None:
        """Write a line; ``source.subdir`` and the like are inside another one."""
        outer, _dot, inner = key.partition(".")
        if inner:
            self.item[outer] = {**self.item.get(outer, {}), inner: value}
        else:
            self.item[key] = value
        self._say(outer, because)

    def add(self, key: str, values: list[Any], because: str) -> None:
        """Add to a list what is not in it yet."""
        new = [value for value in values if value not in self.item.get(key, [])]
        if new:
            self.item[key] = [*self.item.get(key, []), *new]
            self._say(key, because)

    def give(self, name: str, value: str, because: str) -> None:
        """Give a variable a value that people may see."""
        self.item["env"] = {**self.item.get("env", {}), name: value}
        self._say("env", because)

    def keep_secret(self, name: str, because: str) -> None:
        """Give a variable a value that nobody sees."""
        if name not in self.item.get("secrets", {}):
            self.item["secrets"] = {**self.item.get("secrets", {}), name: secrets.token_urlsafe(40)}
            self._say("secrets", because)

    def ask_for(self, name: str) -> None:
        """Somebody has to give this variable's value: what it has now only lets the rehearsal go on."""
        if name not in self.asked:
            self.asked.append(name)

    def wish(self, said: str) -> None:
        """Somebody has to do this."""
        if said not in self.wishes:
            self.wishes.append(said)

    def override(self, setting: str, line: str, because: str) -> None:
        """Lay a setting over the project's own; one that is there already keeps its reason."""
        if self.overrides.get(setting, ("", ""))[0] != line:
            self.overrides[setting] = (line, because)

    def _say(self, key: str, because: str) -> None:
        said = self.because.setdefault(key, [])
        if because not in said:
            said.append(because)

    def theirs(self) -> str:
        """The project's own settings module."""
        return str(self.item.get("settings") or self.survey.settings(self.directory))

    def laid(self) -> Item:
        """The Act as the manifest would have it now, with the settings module that is laid over its own."""
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
            # a console script looks for modules where it lies, and not in its working directory
            item["env"] = {**item.get("env", {}), "PYTHONPATH": posixpath.normpath(f"{{code}}/{self.directory}")}
        return item

    def configuration(self, theirs: str) -> str:
        """The class of django-configurations that plays; empty where settings are no classes."""
        chosen = self.item.get("env", {}).get(CONFIGURATION)
        return str(chosen or self.survey.configuration(theirs, self.directory))

    def state(self) -> Item:
        """All that cures change, as it is now."""
        return copy.deepcopy({key: getattr(self, key) for key in _CHANGED})

    def take_back(self, before: Item, after: Item) -> None:
        """Undo what turned one state into another; what was written since stays."""
        for key in _CHANGED:
            setattr(self, key, _without(getattr(self, key), before[key], after[key]))

    def _place(self, theirs: str) -> tuple[str, str]:
        """The module that is laid over another one: its name, and its file from the source's subdir."""
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
        """The Act for people: secrets are named where a vault would keep them."""
        item = self.laid()
        if item.get("settings") != self.item.get("settings"):
            self._say("settings", f"a file below that is laid over {self.theirs()}")
            base = self.configuration(self.theirs())
            if base:
                self._say("env", f"its class is laid over {base}")
        if item.get("secrets"):
            item["secrets"] = {name: self.vault(name) for name in item["secrets"]}
        for seed in item.get("seed", []):
            if seed.get("secrets"):
                seed["secrets"] = {name: self.vault(name) for name in seed["secrets"]}
        return item

    def vault(self, name: str) -> str:
        return "{{ vault_" + f"{self.name}_{name}".lower().replace("-", "_") + " }}"


def _without(now: Any, before: Any, after: Any) -> Any:
    """What is now, without what turned one value into another; nothing is None."""
    if now == after:
        return copy.deepcopy(before)
    if isinstance(now, dict) and isinstance(after, dict):
        older = before or {}
        kept = {key: _without(value, older.get(key), after.get(key)) for key, value in now.items()}
        return {key: value for key, value in kept.items() if value is not None}
    if isinstance(now, list) and isinstance(after, list):
        return [value for value in now if value not in after or value in (before or [])]
    return now
