# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources that are a package: no code but what the manifest adds; the pin is the content."""

from __future__ import annotations

import tarfile
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Source
from ansible_collections.backstage.django.plugins.plugin_utils.sources import package as sources

KITTENS = Source("package", "kittens==1.4.2")


def test_the_pin_is_the_content() -> None:
    assert sources.resolve(KITTENS, "/") == "package:kittens==1.4.2"
    assert sources.resolve(Source("package", "kittens==1.4.2", "1.5"), "/") == "package:kittens==1.5"


def test_an_empty_tree(tmp_path: Path) -> None:
    sources.archive(KITTENS, "/", "package:kittens==1.4.2", str(tmp_path / "a.tgz"))
    with tarfile.open(tmp_path / "a.tgz") as made:
        assert made.getnames() == []
