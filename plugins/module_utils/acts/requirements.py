# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the packages that an Act needs, in all formats that a project may use."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from pathlib import PurePosixPath
from typing import Any, Callable, Optional

import tomllib  # from Python 3.11, which every stage has

from ..host.errors import BackstageError
from ..manifest import inputs
from . import pipfiles, poetry_locks
from .requirement_texts import Texts, split

PYPROJECT = "pyproject.toml"
FOUND = (
    "uv.lock",
    "pylock.toml",
    "requirements.txt",
    pipfiles.LOCK,
    pipfiles.PIPFILE,
    poetry_locks.LOCK,
    PYPROJECT,
)
"""The files that may name packages. The first that exists counts."""
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml\Z")  # PEP 751
_BUILDING = re.compile(r"(?:[\w.-]*[-_.])?build[-_]constraints?\.txt\Z")
_LOCAL_PACKAGE = ("directory", "archive", "sdist", "wheels")

Table = dict[str, Any]


def collect(code: str, project: str, named: Optional[list[str]], uv: str) -> Table:
    """Read everything that a project says about its packages. This runs as its builder.

    Args:
        code: the directory of the source.
        project: the directory with manage.py, inside the code.
        named: the manifest's list, relative to the project; None to search.
        uv: the program that reads its own lock.

    Returns:
        The merged ``requirements`` and ``constraints``; ``locks``, the texts of lock files; ``projects``, the
        pyproject.toml files whose requirements only a build can compute; ``building``, the versions of build
        requirements; ``local``, whether anything refers to the source.

    Raises:
        BackstageError: a file is missing, or its contents can't be used.
    """
    inside = os.path.relpath(project, code)
    paths = _find(project, code) if named is None else named
    reader = _Reader(code, inside, uv)
    for path in paths:
        reader.read(posixpath.normpath(posixpath.join(inside, path)))
    return {
        "requirements": "\n".join(reader.texts.requirements),
        "constraints": "\n".join(reader.texts.constraints),
        "building": "\n".join(reader.building.requirements),
        "locks": reader.locks,
        "projects": reader.projects,
        "local": reader.texts.local,
    }


def _find(project: str, code: str) -> list[str]:
    for name in FOUND:
        if os.path.isfile(os.path.join(project, name)) and (name != PYPROJECT or _names_packages(project)):
            return [_workspace_lock(project, code) or name] if name == PYPROJECT else [name]
    raise BackstageError(
        "the project says nowhere which packages it needs; add a requirements.txt, or name its files in 'requirements'",
        step="environment",
    )


def _names_packages(project: str) -> bool:
    """Return whether a pyproject.toml is more than the configuration of tools such as linters."""
    with open(os.path.join(project, PYPROJECT), encoding="utf-8") as file:
        return tells_packages(file.read())


def tells_packages(pyproject: str) -> bool:
    """Return whether a pyproject.toml names packages, or should, because Poetry's have to be exported."""
    try:
        table = tomllib.loads(pyproject)
    except ValueError:
        return True  # the code that reads it later reports the error
    return "project" in table or "poetry" in table.get("tool", {})


def _workspace_lock(project: str, code: str) -> str:
    """Return the lock of the uv workspace that contains a directory, relative to it; empty if there is none."""
    above = os.path.dirname(os.path.normpath(project))
    while (above + "/").startswith(os.path.normpath(code) + "/"):
        if os.path.isfile(os.path.join(above, "uv.lock")) and _is_member(project, above):
            return os.path.join(os.path.relpath(above, project), "uv.lock")
        above = os.path.dirname(above)
    return ""


def _is_member(project: str, root: str) -> bool:
    """Return whether a directory is a member of the uv workspace at another one.

    Source:
        uv's manual, "Using workspaces": members and exclusions are globs, and all members share the lock at the root.
    """
    try:
        with open(os.path.join(root, PYPROJECT), "rb") as file:
            workspace: Table = _uv_table(tomllib.load(file)).get("workspace", {})
    except (FileNotFoundError, ValueError):
        return False  # the code that reads its packages reports the error
    inner = os.path.relpath(project, root)
    has_project = os.path.isfile(os.path.join(project, PYPROJECT))
    listed, excluded = (workspace.get(key, []) for key in ("members", "exclude"))
    return has_project and _fits(inner, listed) and not _fits(inner, excluded)


def _fits(path: str, globs: list[str]) -> bool:
    return any(PurePosixPath(path).match(posixpath.normpath(glob)) for glob in globs)


class _Reader:
    def __init__(self, code: str, inside: str, uv: str) -> None:
        self.code = code
        self.inside = inside
        self.uv = uv
        self.texts = Texts(code)
        self.building = Texts(code)
        self.locks: list[str] = []
        self.projects: list[str] = []

    def read(self, path: str) -> None:
        name = posixpath.basename(path)
        kinds: dict[str, Callable[[str], None]] = {
            "uv.lock": self._uv_lock,
            "pyproject.toml": self._pyproject,
            pipfiles.LOCK: self._pipenv,
            pipfiles.PIPFILE: self._pipfile,
            poetry_locks.LOCK: self._poetry,
        }
        if _PYLOCK.match(name):
            self._pylock(path)
        elif _BUILDING.match(name):
            self.building.add(path)
        else:
            kinds.get(name, self.texts.add)(path)

    def _uv_lock(self, path: str) -> None:
        """Read what uv itself would install, without the groups for development.

        Source:
            uv's manual, "uv export".
        """
        directory = posixpath.dirname(path)
        if _is_member(os.path.join(self.code, self.inside), os.path.join(self.code, directory)):
            directory = self.inside
        pyproject = self._toml(posixpath.join(directory, PYPROJECT))
        argv = [self.uv, "export", "--frozen", "--no-dev", "--no-header", "--no-annotate", "--quiet", "--no-cache"]
        argv += [
            "--python",
            inputs.PYTHON,
            *([] if self._is_installed(pyproject, directory) else ["--no-emit-project"]),
        ]
        # the developers' settings of uv, such as its version, are not read
        env = {**os.environ, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "HOME": "/nonexistent"}
        done = subprocess.run(
            argv, cwd=os.path.join(self.code, directory), env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BackstageError(
                f"{path} can't be read: {_telling_line(done.stderr)}", step="environment", log=done.stderr
            )
        self.texts.add_lines(split(done.stdout), path)

    def _pyproject(self, path: str) -> None:
        """Read the dependencies as they are written. If they are computed or come from elsewhere, uv does."""
        pyproject, directory = self._toml(path), posixpath.dirname(path)
        project = pyproject.get("project", {})
        if "dependencies" in project.get("dynamic", []) or _uv_table(pyproject).get("sources"):
            self.projects.append("./" + path)
            self.texts.local = True
        else:
            self.texts.add_lines([line.strip() for line in project.get("dependencies", [])], path)
        if "project" not in pyproject:
            raise BackstageError(
                f"{path} has no [project] table, and no {poetry_locks.LOCK} beside it: run 'poetry lock' and commit"
                " that, or export its packages into a requirements.txt",
                step="environment",
            )
        if self._is_installed(pyproject, directory):
            self.texts.add_lines(["./"], path)

    def _is_installed(self, pyproject: Table, directory: str) -> bool:
        """Return whether the project itself has to be installed: for code below src/, and for its own commands."""
        if "build-system" not in pyproject or _uv_table(pyproject).get("package") is False:
            return False
        poetry: Table = pyproject.get("tool", {}).get("poetry", {})
        if poetry.get("package-mode") is False:
            return False
        scripts = pyproject.get("project", {}).get("scripts") or poetry.get("scripts")
        return bool(scripts) or os.path.isdir(os.path.join(self.code, directory, "src"))

    def _pylock(self, path: str) -> None:
        lock = self._toml(path)
        for package in lock.get("packages", []):
            places = [package.get(key) for key in _LOCAL_PACKAGE]
            places = [one for place in places if place for one in (place if isinstance(place, list) else [place])]
            if any("path" in place for place in places):
                self.projects.append("./" + path)
                self.texts.local = True
                return
        with open(os.path.join(self.code, path), encoding="utf-8") as file:
            self.locks.append(file.read())

    def _pipfile(self, path: str) -> None:
        lock = posixpath.join(posixpath.dirname(path), pipfiles.LOCK)
        if not os.path.isfile(os.path.join(self.code, lock)):
            raise pipfiles.unlocked(path)
        self._pipenv(lock)

    def _pipenv(self, path: str) -> None:
        texts = []
        for name in (path, posixpath.join(posixpath.dirname(path), pipfiles.PIPFILE)):
            try:
                with open(os.path.join(self.code, name), encoding="utf-8") as file:
                    texts.append(file.read())
            except FileNotFoundError:
                texts.append("")
        self.texts.add_lines(pipfiles.lines(path, *texts), path)

    def _poetry(self, path: str) -> None:
        directory = posixpath.dirname(path)
        lock, pyproject = self._toml(path), self._toml(posixpath.join(directory, PYPROJECT))
        wanted, constraints = poetry_locks.lines(path, lock, pyproject)
        self.texts.add_lines(wanted, path)
        self.texts.add_lines(constraints, path, constraints=True)
        if self._is_installed(pyproject, directory):
            self.texts.add_lines(["./"], path)

    def _toml(self, path: str) -> Table:
        try:
            with open(os.path.join(self.code, path), "rb") as file:
                return tomllib.load(file)
        except FileNotFoundError:
            raise BackstageError(f"the requirements file '{path}' is not in the project", step="environment") from None
        except ValueError as error:
            raise BackstageError(f"{path} is no TOML ({error})", step="environment") from None


def _uv_table(pyproject: Table) -> Table:
    table: Table = pyproject.get("tool", {}).get("uv", {})
    return table


def _telling_line(said: str) -> str:
    """Return the error, if warnings come before it."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error")]
    return (errors + lines + ["uv said nothing"])[0]
