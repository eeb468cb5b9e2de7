# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cures for missing JavaScript packages: lines of `build`."""

from __future__ import annotations

import os
import posixpath

from .case import Case

FOLDER = "node_modules"


def install_node_packages(case: Case) -> None:
    """Install the packages of a missing directory, beside its package.json."""
    directory = os.path.normpath(os.path.dirname(os.path.join(case.release.code, case.draft.directory, case.word)))
    if posixpath.basename(case.word) == FOLDER:
        _install(case, os.path.relpath(directory, case.release.code))


def install_for_static_files(case: Case) -> None:
    """Install JavaScript packages if static files are missing and the settings look for some among them."""
    survey = case.draft.survey
    if any(FOLDER in text for name, text in survey.texts.items() if name.endswith(".py")):
        named = next((name for name in survey.names if posixpath.basename(name) == "package.json"), "")
        if named:
            _install(case, posixpath.dirname(named) or ".")


def _install(case: Case, directory: str) -> None:
    draft = case.draft
    if not draft.survey.has(posixpath.normpath(posixpath.join(directory, "package.json"))):
        return
    locked = draft.survey.has(posixpath.normpath(posixpath.join(directory, "package-lock.json")))
    place = posixpath.relpath(directory, draft.directory)
    prefix = "" if place == "." else f"--prefix {place} "
    draft.add("build", [f"npm {prefix}{'ci' if locked else 'install'} --omit=dev"], case.because)
    draft.add("packages", ["npm"], case.because)
