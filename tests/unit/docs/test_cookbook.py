# SPDX-License-Identifier: GPL-3.0-or-later
"""The cookbook's recipes are those that the tests play, and its table is the corpus."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
import yaml
from pages import PROJECT, tables

sys.path.append(str(PROJECT / "tests/corpus"))

import corpus

PAGE = (PROJECT / "docs/cookbook.md").read_text(encoding="utf-8")
PLAYED = yaml.safe_load((PROJECT / "tests/acts/manifest.yml").read_text(encoding="utf-8"))["made_acts"]
WRITTEN = [
    yaml.safe_load(text)["backstage_acts"][0]
    for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]


def without_places(act: dict[str, Any]) -> dict[str, Any]:
    """Where a project lies on the controller is the reader's own."""
    source = {kind: "" if kind == "path" else value for kind, value in act["source"].items()}
    files = [{key: "" if key == "src" else value for key, value in file.items()} for file in act["files"]]
    return {**act, "source": source, "files": files}


def test_every_act_has_its_recipe() -> None:
    assert sorted(act["name"] for act in WRITTEN) == sorted(PLAYED)


@pytest.mark.parametrize("act", WRITTEN, ids=lambda act: act["name"])
def test_a_recipe_is_what_is_played(act: dict[str, Any]) -> None:
    assert without_places(act) == without_places(PLAYED[act["name"]])


def test_the_table_is_the_corpus() -> None:
    assert tables("cookbook.md")["Whatever yours is"] == [
        cookbook_row(entry) for entry in corpus.load() if entry["name"] != "plain"
    ]


def cookbook_row(entry: corpus.Entry) -> dict[str, str]:
    lines = dict(entry.get("lines", {}))
    if "files" in lines:  # too long for a table
        lines["files"] = "..."
    text = ", ".join(f"`{key}: {written(value)}`" for key, value in lines.items())
    return {"your project": entry["oddity"], "rehearse says": f"`{entry['says']}`", "the line": text}


def written(value: Any) -> str:
    dumped = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).removesuffix("...\n").strip()
    return dumped.replace("{supplies}/private", "https://pypi.example.com").replace("{password}", "...")
