# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages that current build tools can't build: the error of such a build, and the tools that it needs.

Source:
    setuptools' own history, tried with each version: 58 removed 2to3, 61 discovers packages by itself, 66 requires
    PEP 440 versions, 70 lacks convert_path, 82 lacks pkg_resources; Cython 3 removed cython_sources.
"""

from __future__ import annotations

from collections.abc import Iterable

OLDER = {
    "use_2to3 is invalid": "setuptools<58",
    "Multiple top-level packages": "setuptools<61",
    "InvalidVersion": "setuptools<66",
    "cannot import name 'convert_path'": "setuptools<70",
    "No module named 'pkg_resources'": "setuptools<82",
    "cython_sources": "Cython<3",
}
"""A text in the build's error -> the build requirement that avoids it."""


def said(words: Iterable[str]) -> str:
    """Return the constraint for the first word that has one, as a part of a sentence."""
    return next((OLDER[word] for word in words if word in OLDER), "")
