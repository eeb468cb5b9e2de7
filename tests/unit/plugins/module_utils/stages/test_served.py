# SPDX-License-Identifier: GPL-3.0-or-later
"""What nginx serves from files, looked up where it would."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.layout import Sess
from ansible_collections.backstage.django.plugins.module_utils.stages.served import Served

from ...house import released

RELEASE = released(
    "a" * 12,
    static={"url": "static/", "root": "own", "relative": True},
    media={"url": "/media/", "root": "own"},
    static_urls=[{"url": "/pictures/", "path": "pictures"}],
)
FILES = [
    "static/a.css",
    "static/d\u00e4/b c.js",
    "static/.backstage/,pictures,/p.png",
    "static/.well-known/x",
    "static/.x/y",
]


@pytest.fixture
def sess(place: Path) -> Sess:
    for name in [*FILES, "older/1/old.css", "media/up.txt", "secret"]:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.symlink(place / "secret", place / "media" / "link")
    return Sess(str(place))


FOUND = [
    # (URL path, what nginx answers; None where it asks the Act)
    ("/static/a.css", 200),
    ("/static/a.css?v=1", 200),
    ("/static/d%C3%A4/b%20c.js", 200),
    ("/static/old.css", 200),
    ("/static/b.css", 404),
    ("/static/", 404),
    ("/static/../secret", None),
    ("/static/%2e%2e/secret", None),
    ("/static/x/%2e%2e/a.css", 200),
    ("/static/.x/y", 404),
    ("/static/.well-known/x", 200),
    ("/static/%00", 404),
    ("/pictures/p.png", 200),
    ("/pictures/q.png", 404),
    ("/media/up.txt", 200),
    ("/media/link", 404),
    ("/media/../media/up.txt", 200),
    ("/", None),
    ("/page/", None),
]


@pytest.mark.parametrize(("path", "status"), FOUND)
def test_status(sess: Sess, path: str, status: Optional[int]) -> None:
    static: dict[str, Any] = {**RELEASE, "static": {**RELEASE["static"], "url": "/static/"}}
    served = Served(static, "/", sess, sess.root + "/media")
    assert served.status(path) == status


@pytest.mark.parametrize(("path", "status"), [("/blog/static/a.css", 200), ("/static/a.css", None), ("/blog/", None)])
def test_below_a_path(sess: Sess, path: str, status: Optional[int]) -> None:
    release = {**RELEASE, "static": {"url": "/static/", "root": "own", "relative": True}}
    assert Served(release, "/blog", sess, sess.root + "/media").status(path) == status


def test_files_that_the_act_answers_are_asked_of_it(sess: Sess) -> None:
    record = {**RELEASE, "static": {**RELEASE["static"], "app": True}}
    served = Served(record, "/", sess, str(sess.root) + "/media")
    assert [served.status(path) for path in ("/static/a.css", "/static/b.css", "/media/up.txt")] == [None, None, 200]
