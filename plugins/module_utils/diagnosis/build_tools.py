# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages that today's tools can't build from source: what such a build says, and the tools that it was written for.

Source:
    setuptools' own history, tried with each version: 58 took 2to3 away, 61 looks for packages by itself, 66 wants
    versions of PEP 440, 70 has no convert_path, 82 no pkg_resources; Cython 3 took cython_sources away.
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
"""What a build says -> what it is to be built with."""


def said(words: Iterable[str]) -> str:
    """The constraint for the first word that has one, for a sentence."""
    return next((OLDER[word] for word in words if word in OLDER), "")
