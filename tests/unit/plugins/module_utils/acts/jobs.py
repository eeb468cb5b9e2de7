# SPDX-License-Identifier: GPL-3.0-or-later
"""A release to build, and its record or failure."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import build
from ansible_collections.backstage.django.plugins.module_utils.acts.build import Job
from ansible_collections.backstage.django.plugins.module_utils.acts.world import Address
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Source, Venue

from ... import projects
from ...house import A, House
from ...projects import Text

KEY = "e" * 16
KITTENS = Act("kittens", source=Source("git", "https://a/b", "v1"))
SECRET = {"KITTENS_KEY": "purr-purr"}


def job(house: House, act: Act = KITTENS, below: str = "", **texts: Text) -> Job:
    """A job whose source is the project of these texts, in a directory below."""
    root = projects.write(house.root / "source" / below, **{"requirements__txt": "Django==5.2.15\n", **texts})
    archive = house.root / "source.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(house.root / "source", ".")
    assert root.exists()
    return Job(act, Address((Venue("a.example"),)), {"act": 1}, A, "v1", str(archive), SECRET)


def built(house: House, one: Job) -> dict[str, Any]:
    build.build(one, house.act(), house.host)
    record: dict[str, Any] = json.loads(Path(house.act().release(A).seal).read_text())
    return record


def failure(house: House, one: Job) -> BackstageError:
    with pytest.raises(BackstageError) as found:
        built(house, one)
    assert os.listdir(house.act().releases) == [], "nothing is left that a later run trusts"
    assert not os.path.exists(house.act().workshop)
    return found.value
