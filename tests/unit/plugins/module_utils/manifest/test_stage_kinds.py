# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which kind a release is played, and what each kind needs."""

from __future__ import annotations

from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import stage_kinds
from ansible_collections.backstage.django.plugins.module_utils.manifest.stage_kinds import KINDS, played, server
from ansible_collections.backstage.django.plugins.module_utils.stages import kinds

Asked = tuple[str, str]
PLAYED = [
    # (the manifest, what the release was built for, by what it is played)
    (("uwsgi", ""), ("uwsgi", ""), ("uwsgi", "")),
    (("gunicorn", ""), ("gunicorn", ""), ("gunicorn", "gthread")),
    (("gunicorn", "sync"), ("gunicorn", "gthread"), ("gunicorn", "sync")),
    (("asgi", ""), ("asgi", ""), ("asgi", "")),
    # back to a release of another kind
    (("gunicorn", "sync"), ("uwsgi", ""), ("uwsgi", "")),
    (("uwsgi", ""), ("gunicorn", "sync"), ("gunicorn", "gthread")),
    (("gunicorn", "gevent"), ("gunicorn", ""), ("gunicorn", "gthread")),
    (("gunicorn", ""), ("gunicorn", "gevent"), ("gunicorn", "gevent")),
    (("gunicorn", ""), ("asgi", ""), ("asgi", "")),
    (("asgi", ""), ("uwsgi", ""), ("uwsgi", "")),
]


@pytest.mark.parametrize(("asked", "built", "by"), PLAYED)
def test_by_what_a_release_is_played(asked: Asked, built: Asked, by: Asked) -> None:
    """Its environment has the server that it was built for, and no other."""
    assert played(*asked, server(*built)) == by


@pytest.mark.parametrize("built", [{"stage": "gunicorn", "packages": ["gunicorn[setproctitle]"]}, None])
def test_a_release_of_another_backstage(built: Optional[stage_kinds.Server]) -> None:
    """It knew other packages of the kind, or it knew no kinds."""
    assert played("asgi", "", built) == (("gunicorn", "gthread") if built else ("uwsgi", ""))


def test_a_kind_that_is_not_known() -> None:
    """The Stage refuses it by name."""
    assert played("uwsgi", "", {"stage": "granian", "packages": ["granian"]}) == ("granian", "")


def test_every_kind_has_its_code() -> None:
    told = {(name, stage_kinds.manager(name, one)) for name, kind in KINDS.items() for one in kind.managers or ("",)}
    assert told == set(kinds._KINDS)
