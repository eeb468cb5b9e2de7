# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of a Stage kind in an Act's environment, installed by the real uv from wheels of the test's own."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import environments
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts.environments import Wanted
from ansible_collections.backstage.django.plugins.module_utils.host import names, users
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Index

from ...house import House

SERVER = ("gunicorn>=22", "uvicorn[standard]>=0.30")
LOCK = """lock-version = "1.0"
created-by = "a test"
[[packages]]
name = "packaging"
version = "24.0"
wheels = [{{ url = "file://{wheels}/packaging-24.0-py3-none-any.whl", hashes = {{}} }}]
"""


def wheel(place: Path, name: str, version: str, *needs: str) -> None:
    """A package of one module."""
    info = f"{name}-{version}.dist-info"
    lines = [f"Requires-Dist: {need}" for need in needs]
    metadata = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""])
    with zipfile.ZipFile(place / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", metadata)
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


@pytest.fixture
def wheels(crewed: House) -> Iterator[Path]:
    place = crewed.root / "wheels"
    place.mkdir()
    for version in ("21.0", "23.0", "27.0"):
        wheel(place, "gunicorn", version, "packaging")
    for version in ("24.0", "26.0"):
        wheel(place, "packaging", version)
    wheel(place, "uvicorn", "0.54.0", 'websockets ; extra == "standard"')
    wheel(place, "websockets", "15.0")
    acts.prepare(crewed.act())
    shutil.copy(Path(sys.executable).with_name("uv"), crewed.root / "uv")
    yield place
    users.remove(names.environment_builder(crewed.production))


def installed(house: House, wheels: Path, wanted: Wanted) -> set[str]:
    index = Index(find_links=[str(wheels)])
    made = Wanted(**{**vars(wanted), "index": index})
    key = environments.make(house.act(), made, str(house.root / "uv"), str(house.root))
    packages = Path(house.paths.environment(key)).glob("lib/python3*/site-packages/*.dist-info")
    return {os.path.basename(path)[: -len(".dist-info")] for path in packages}


WANTED = [
    # (the project's requirements, its constraints, what is installed)
    ("", "", {"gunicorn-27.0", "packaging-26.0"}),
    ("gunicorn==23.0", "", {"gunicorn-23.0", "packaging-26.0"}),
    ("packaging==24.0", "", {"gunicorn-27.0", "packaging-24.0"}),
    ("", "gunicorn<27", {"gunicorn-23.0", "packaging-26.0"}),
]


@pytest.mark.parametrize(("requirements", "constraints", "found"), WANTED)
def test_the_projects_own_versions_count(
    crewed: House, wheels: Path, requirements: str, constraints: str, found: set[str]
) -> None:
    wanted = Wanted(requirements, constraints, server=SERVER)
    assert installed(crewed, wheels, wanted) == {"uvicorn-0.54.0", "websockets-15.0", *found}


def test_a_version_that_is_too_old(crewed: House, wheels: Path) -> None:
    with pytest.raises(BackstageError) as failure:
        installed(crewed, wheels, Wanted("gunicorn==21.0", server=SERVER))
    assert "gunicorn>=22" in failure.value.log


def test_beside_a_lock_file(crewed: House, wheels: Path) -> None:
    """uv takes no other requirements together with one, and the versions of the lock stay."""
    lock = LOCK.format(wheels=wheels)
    found = installed(crewed, wheels, Wanted("", locks=(lock,), server=("gunicorn>=22",)))
    assert found == {"gunicorn-27.0", "packaging-24.0"}
