# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of docs/errors.md has every known cause, with the words that a run says."""

from __future__ import annotations

import re

from ansible_collections.backstage.django.plugins.module_utils.diagnosis import causes
from pages import tables


def test_every_cause_in_its_own_words() -> None:
    said = [(row["cause"], row["the run says"]) for row in tables("errors.md")["Known causes"]]
    assert said == [(row.name, re.sub(r"\{\w+\}", "…", row.sentence)) for row in causes.ROWS]
