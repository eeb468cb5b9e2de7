# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources that are a Python package with its templates and media: all of it comes with the environment."""

from __future__ import annotations

import tarfile

from ...module_utils.manifest.nouns import Source


def resolve(source: Source, base: str) -> str:
    """Return the requirement itself, because an exact version or a URL with a hash identifies the content."""
    return f"package:{source.requirement}"


def archive(source: Source, base: str, content: str, target: str) -> None:
    """Write an empty tree: there is no code but what the manifest's files add."""
    with tarfile.open(target, "w:gz"):
        return
