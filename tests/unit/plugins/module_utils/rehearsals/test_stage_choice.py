# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Stage kind a rehearsal proposes, and what it says of other servers among the requirements."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.rehearsals.stage_choice import WHITENOISE, choose
from ansible_collections.backstage.django.plugins.module_utils.stages import limits

from ...house import House
from .managers import FILES, rehearse
from .test_survey import survey

ASGI = 'ASGI_APPLICATION = "kittens.asgi.application"\n'
MEMORY = 'CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}\n'
WEBSOCKETS = "it has an ASGI_APPLICATION and channels, so it answers WebSockets"
ALONE = "a message of its in-memory channel layer reaches clients of the same process only"


@pytest.fixture
def systemd(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(limits, "SYSTEMD", str(house.root))
    os.makedirs(house.host.wrapper)
    Path(house.host.wrapper, "backstage_env.py").touch()
    return house


PROPOSED: list[tuple[str, str, dict[str, Any]]] = [
    # (settings, requirements, the keys of the Sess)
    (ASGI, "Django\nchannels==4.3.2\n", {"stage": "asgi"}),
    (ASGI + MEMORY, "Django\nchannels[daphne]==4.3.2\n", {"stage": "asgi", "processes": 1}),
    # Django's own ASGI is in every project
    (ASGI, "Django\n", {}),
    (ASGI, "Django\nchannels-redis\n", {}),
    ("", "Django\nchannels==4.3.2\n", {}),
    (f"# {ASGI}", "Django\nchannels==4.3.2\n", {}),
]


@pytest.mark.parametrize(("settings", "requirements", "sess"), PROPOSED)
def test_a_project_with_websockets(systemd: House, settings: str, requirements: str, sess: dict[str, Any]) -> None:
    found = choose(survey(kittens___settings__py=settings, requirements__txt=requirements), "kittens", systemd.host)
    assert (found.sess, found.wishes) == (sess, ())
    assert found.because == (*[WEBSOCKETS] * bool(sess), *[ALONE] * ("processes" in sess))


def test_a_host_without_systemd(house: House) -> None:
    project = survey(kittens___settings__py=ASGI, requirements__txt="channels\n")
    found = choose(project, "kittens", house.host)
    said = "its WebSockets: stage 'asgi' needs systemd, which is not PID 1 of this host: use stage 'uwsgi'"
    assert (found.sess, found.wishes) == ({}, (said,))


NOTES = [
    # (settings, requirements, servers that are not used)
    ("", "gunicorn==23.0\nuvicorn\n", ["gunicorn", "uvicorn"]),
    ("", "gunicorn-color\n", []),
    (ASGI, "channels\ndaphne==4.2.3\ngunicorn\n", ["daphne"]),
]


@pytest.mark.parametrize(("settings", "requirements", "unused"), NOTES)
def test_servers_among_the_requirements(systemd: House, settings: str, requirements: str, unused: list[str]) -> None:
    found = choose(survey(kittens___settings__py=settings, requirements__txt=requirements), "kittens", systemd.host)
    by = "stage 'asgi'" if settings else "Debian's uWSGI"
    assert found.notes == tuple(
        f"{name} is among the requirements, and is not used: the Act plays by {by}" for name in unused
    )


def test_static_files_by_whitenoise(systemd: House) -> None:
    settings = 'MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]\n'
    found = choose(survey(kittens___settings__py=settings, requirements__txt="Django\n"), "kittens", systemd.host)
    assert (found.sess, found.notes) == ({}, (WHITENOISE,))


def test_a_rehearsal_with_websockets(stage: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is built and played by that kind, and the Sess is one of the lines to paste."""
    monkeypatch.setattr(limits, "SYSTEMD", str(stage.root))
    os.makedirs(stage.host.wrapper, exist_ok=True)
    Path(stage.host.wrapper, "backstage_env.py").touch()
    monkeypatch.setitem(FILES, "requirements.txt", "Django\nchannels\nhypercorn\n")
    monkeypatch.setitem(FILES, "kittens/settings.py", ASGI + MEMORY)
    found, managers = rehearse(stage, monkeypatch, None)
    assert found["sess"] == {"act": "kittens", "stage": "asgi", "processes": 1}
    assert found["sess_because"] == [WEBSOCKETS, ALONE]
    assert found["notes"] == ["hypercorn is among the requirements, and is not used: the Act plays by stage 'asgi'"]
    played = [order.manifest.sesses["kittens"] for order in managers.orders if order.manifest.sesses]
    assert {(sess.stage, sess.processes, sess.state) for sess in played} == {("asgi", 1, "started")}
