# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release brings to the stage, read from what is sealed."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.acts import digests, sets

from ...house import A, House, released


def test_the_set_of_a_release(house: House) -> None:
    house.build(A)
    static = Path(house.act().release(A).static)
    (static / "css").mkdir()
    (static / "css" / "a.css").write_text("x" * 100)
    (static / "b.js").write_text("x" * 11)
    os.symlink("/etc/passwd", static / "link")
    environment = Path(house.paths.environment("e" * 16))
    library = environment / "lib" / "python3.11" / "site-packages"
    for name in (
        "Django-5.2.15.dist-info",
        "django_q2-1.7.2.dist-info",
        "django",
        "attrs-25.1.0.dist-info",
        "x.egg-info",
    ):
        (library / name).mkdir(parents=True)
    (environment / digests.RECORD).write_text("{}")
    os.utime(environment / digests.RECORD, (1_700_000_000, 1_700_000_000))
    record = released(A, apps=["django.contrib.admin", "kittens"])
    assert sets.of(house.act(), record) == {
        "apps": ["django.contrib.admin", "kittens"],
        "packages": ["attrs==25.1.0", "Django==5.2.15", "django-q2==1.7.2"],
        "static_files": 2,
        "static_bytes": 111,
        "unpinned_since": None,
    }
    assert sets.of(house.act(), {**record, "pinned": False})["unpinned_since"] == "2023-11-14T22:13:20Z"


def test_what_is_gone_or_of_an_earlier_backstage_is_empty(house: House) -> None:
    assert sets.of(house.act(), released(A, pinned=False)) == {
        "apps": [],
        "packages": [],
        "static_files": 0,
        "static_bytes": 0,
        "unpinned_since": None,
    }
