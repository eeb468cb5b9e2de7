# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's options to an order, where they change the Stage kind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Outcome
from ansible_collections.backstage.django.plugins.module_utils.stages import limits

from ...house import House
from ...manifests import act, booked, git
from .test_options import RESOLVED, one_act, one_sess


@pytest.fixture
def settled(house: House) -> House:
    house.settle(options.for_production(booked(acts=[act(source=git())], resolved=RESOLVED)))
    return house


def verbs(outcome: Outcome) -> list[str]:
    return [f"{step.noun} {step.name}: {step.verb}" for step in outcome.steps]


@pytest.fixture
def with_systemd(settled: House, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(limits, "SYSTEMD", str(settled.root))
    os.makedirs(settled.host.wrapper, exist_ok=True)
    Path(settled.host.wrapper, "backstage_env.py").touch()
    return settled


def test_a_release_is_built_for_the_stage_that_will_play_it(with_systemd: House) -> None:
    outcome = production.check(options.for_act(one_act(stage="gunicorn", worker_class="gevent")))
    assert verbs(outcome) == ["act kittens: build", "act kittens: migrate", "act kittens: change"]
    play = production.check(options.for_act(one_act(stage="uwsgi")))
    assert (verbs(play), play.warnings) == ([], [])


def test_a_stage_for_which_the_release_was_not_built(with_systemd: House) -> None:
    """Nothing but another build helps, so nothing is switched, and it is said."""
    outcome = production.check(options.for_sess(one_sess(stage="gunicorn")))
    release = with_systemd.state().live_release
    assert (verbs(outcome), outcome.warnings) == (
        [],
        [f"act kittens: release {release} was built for stage 'uwsgi', and plays by it"],
    )


def test_what_another_stage_does_not_have_is_left_out(with_systemd: House) -> None:
    """The disk says threads and a worker class, and the option says a kind that has neither."""
    path = Path(with_systemd.act().sess(with_systemd.state().live or "").record)
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "threads": 4, "stage": "gunicorn", "worker_class": "gthread"})
    )
    (sess,) = list(options.for_sess(one_sess(stage="asgi")).manifest.sesses.values())
    assert (sess.stage, sess.worker_class, sess.threads) == ("asgi", "", 1)
    (sess,) = list(options.for_sess(one_sess(worker_class="sync")).manifest.sesses.values())
    assert (sess.stage, sess.worker_class, sess.threads) == ("gunicorn", "sync", 1)
    (sess,) = list(options.for_sess(one_sess(manager="supervisor")).manifest.sesses.values())
    assert (sess.stage, sess.worker_class, sess.manager) == ("gunicorn", "gthread", "supervisor")
    path.write_text(json.dumps({**json.loads(path.read_text()), "manager": "supervisor"}))
    (sess,) = list(options.for_sess(one_sess(stage="uwsgi")).manifest.sesses.values())
    assert (sess.stage, sess.worker_class, sess.manager, sess.threads) == ("uwsgi", "", "", 4)
    (sess,) = list(options.for_sess(one_sess(processes=5)).manifest.sesses.values())
    assert (sess.stage, sess.worker_class, sess.threads) == ("gunicorn", "gthread", 4)


def test_a_host_without_systemd_refuses_the_kind_before_anything_is_built(settled: House) -> None:
    outcome = production.check(options.for_act(one_act(stage="asgi")))
    said = "stage 'asgi' needs systemd, which is not PID 1 of this host: use stage 'uwsgi'"
    assert (verbs(outcome), [error.message for error in outcome.errors]) == ([], [said])


def test_another_kind_neither_sleeps_nor_stands_by(with_systemd: House) -> None:
    """Only the emperor can do either, and who asks for another kind need not say so."""
    path = Path(with_systemd.act().sess(with_systemd.state().live or "").record)
    path.write_text(json.dumps({**json.loads(path.read_text()), "idle": 60, "standby": 15}))
    (sess,) = list(options.for_sess(one_sess(processes=5)).manifest.sesses.values())
    assert (sess.state, sess.idle, sess.standby) == ("asleep", 60, 15)
    (sess,) = list(options.for_sess(one_sess(stage="gunicorn")).manifest.sesses.values())
    assert (sess.state, sess.standby) == ("started", 0)
