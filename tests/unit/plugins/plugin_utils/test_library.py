# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that a host's program needs, as directories and files of a role."""

from __future__ import annotations

from ansible_collections.backstage.django.plugins.module_utils.host import removals
from ansible_collections.backstage.django.plugins.plugin_utils import library


def test_a_module_comes_with_all_that_it_imports() -> None:
    texts = library.texts_of(["host/locks.py"])
    assert sorted(texts) == [
        "__init__.py",
        "host/__init__.py",
        "host/caller.py",
        "host/errors.py",
        "host/files.py",
        "host/locks.py",
    ]
    assert all(removals.is_ours(text) for text in texts.values())


def test_they_are_added_to_those_of_the_role() -> None:
    given = {
        "directories": [{"path": "/lib"}],
        "files": [{"path": "/lib/program", "content": "x"}],
        "library": {"path": "/lib", "modules": ["host/masks.py"]},
        "record": "/r",
    }
    found = library.expanded(given)
    assert [one["path"] for one in found["directories"]] == ["/lib", "/lib/backstage", "/lib/backstage/host"]
    assert [one["path"] for one in found["files"]][:2] == ["/lib/program", "/lib/backstage/__init__.py"]
    assert (found["record"], "library" in found) == ("/r", False)
    assert library.expanded({"record": "/r"}) == {"record": "/r"}
