# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README shows of a rehearsal is what one prints, and its lines are a manifest."""

from __future__ import annotations

import re

import yaml
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest
from ansible_collections.backstage.django.plugins.plugin_utils import playbill
from pages import PROJECT

PAGE = (PROJECT / "README.md").read_text(encoding="utf-8")
SHOWN = re.search(r"^```text\n(Rehearsal of .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
assert SHOWN
PRINTED = SHOWN.group(1)
LINES = PRINTED[PRINTED.index("backstage_acts:") : PRINTED.index("\n\n19 migrations")]
SHOWN_LINES = yaml.safe_load(LINES)


def test_a_rehearsal() -> None:
    (act,) = SHOWN_LINES["backstage_acts"]
    because = {
        key: [reason]
        for reason, key in re.findall(r"^    # (.*)\n    (\w+):", LINES, re.MULTILINE)
        if not reason.startswith("found, ")
    }
    result = {
        "plays": True,
        "act": act,
        "because": because,
        "lacking": [],
        "found": {
            "application": "mysite.wsgi:application",
            "manage": "manage.py",
            "requirements": ["requirements.txt"],
            "settings": "mysite.settings",
        },
        "tried": [],
        "missing": [],
        "log": "",
        "applied": ["a.0001"] * 19,
        "pending": [],
        "unwritten": [],
        "warnings_of_django": re.findall(r"^  - (security.*)", PRINTED, re.MULTILINE),
    }
    options = {
        "path": act["source"]["path"],
        "venues": SHOWN_LINES["backstage_venues"],
        "gigs": SHOWN_LINES["backstage_gigs"],
    }
    found = playbill.told(result, options, "web1.example.com")
    assert found["manifest"] == SHOWN_LINES
    assert found["stdout"] == PRINTED.replace("  ...\n", "").rstrip("\n")


def test_its_lines_are_a_manifest() -> None:
    given = {name.removeprefix("backstage_"): value for name, value in SHOWN_LINES.items()}
    given["acts"][0]["secrets"] = {"SECRET_KEY": "a-secret-that-somebody-keeps-in-a-vault"}
    parsed = manifest.parse({"production": "cats", **given})
    assert sorted(parsed.acts) == ["polls"]
