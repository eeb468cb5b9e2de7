# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything lies: the documented layout, word for word."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import layout

JAZZ = layout.Production("jazz")
KITTENS = JAZZ.act("kittens")
RELEASE = KITTENS.release("0123456789ab")
SESS = KITTENS.sess("0123456789ab.1")
ACT = "/srv/backstage/jazz/acts/kittens"

PATHS = [
    (layout.HOST_LOCK, "/srv/backstage/.lock"),
    (JAZZ.root, "/srv/backstage/jazz"),
    (JAZZ.environments, "/srv/backstage/jazz/environments"),
    (JAZZ.acts, "/srv/backstage/jazz/acts"),
    (JAZZ.spool, "/srv/backstage/jazz/spool"),
    (JAZZ.cache, "/srv/backstage/jazz/cache"),
    (JAZZ.lock, "/srv/backstage/jazz/.lock"),
    (JAZZ.logs, "/var/log/backstage/jazz"),
    (KITTENS.log, "/var/log/backstage/jazz/kittens.log"),
    (KITTENS.run_log, "/var/log/backstage/jazz/kittens.run.log"),
    (KITTENS.root, ACT),
    (KITTENS.releases, ACT + "/releases"),
    (KITTENS.sesses, ACT + "/sesses"),
    (KITTENS.live, ACT + "/live"),
    (KITTENS.media, ACT + "/media"),
    (KITTENS.data, ACT + "/data"),
    (KITTENS.record, ACT + "/act.json"),
    (KITTENS.history, ACT + "/history.jsonl"),
    (KITTENS.hold, ACT + "/hold"),
    (RELEASE.root, ACT + "/releases/0123456789ab"),
    (RELEASE.code, ACT + "/releases/0123456789ab/code"),
    (RELEASE.static, ACT + "/releases/0123456789ab/static"),
    (RELEASE.seal, ACT + "/releases/0123456789ab/release.json"),
    (SESS.root, ACT + "/sesses/0123456789ab.1"),
    (SESS.ini, ACT + "/sesses/0123456789ab.1/uwsgi.ini"),
    (SESS.env, ACT + "/sesses/0123456789ab.1/env"),
    (SESS.door, ACT + "/sesses/0123456789ab.1/door"),
    (SESS.socket, ACT + "/sesses/0123456789ab.1/door/s"),
    (SESS.release, ACT + "/sesses/0123456789ab.1/release"),
    (SESS.static, ACT + "/sesses/0123456789ab.1/static"),
    (SESS.older, ACT + "/sesses/0123456789ab.1/older"),
]


@pytest.mark.parametrize(("path", "documented"), PATHS)
def test_path(path: str, documented: str) -> None:
    assert path == documented


def test_no_act_lies_in_another() -> None:
    names = ("blog", "blog2", "blog-2", "releases", "media", "live")
    roots = [JAZZ.act(name).root for name in names]
    assert not any(other != root and other.startswith(root + "/") for root in roots for other in roots)
