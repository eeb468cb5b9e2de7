# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.acts import removal
from ansible_collections.backstage.django.plugins.module_utils.acts.databases import Databases
from ansible_collections.backstage.django.plugins.module_utils.state import history

from ...house import A, House, wanted

WANT = wanted()


def test_removal_keeps_data_and_history(crewed: House) -> None:
    acts.prepare(crewed.act())
    crewed.build(A)
    crewed.record(WANT)
    Path(crewed.act().data, "db").write_text("visitors")
    known = Databases(crewed.production, crewed.host)
    planned = removal.plan("kittens", crewed.state(), known, False)
    assert [change.step.verb for change in planned] == ["remove"]
    for change in planned:
        assert change.make
        change.make()
    assert sorted(os.listdir(crewed.act().root)) == ["data", "history.jsonl", "media"]
    assert Path(crewed.act().data, "db").read_text() == "visitors"
    assert history.History.read(crewed.act().history, None, 0).events[-1]["event"] == "removed"
    assert removal.plan("kittens", crewed.state(), known, False) == []
    assert [change.step.verb for change in removal.plan("kittens", crewed.state(), known, True)] == ["delete data"]
