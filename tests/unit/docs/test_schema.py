# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/manifest.schema.json is what `make schema` prints, takes what the documentation shows, and refuses slips."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
import yaml
from pages import PAGES, PROJECT

SCHEMA = json.loads((PROJECT / "docs/manifest.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
EXAMPLE = PROJECT / "example/inventory/group_vars/all/production.yml"
MANIFESTS = [EXAMPLE.read_text(encoding="utf-8")] + [
    text
    for page in PAGES
    for text in re.findall(r"^ *```yaml\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if re.match(r"\s*(#.*\n\s*)*backstage_", text)
]


def wrong(manifest: Any) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(manifest)]


def test_it_is_up_to_date() -> None:
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "scripts/schema.py"],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == SCHEMA, "run: make schema"
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", MANIFESTS, ids=lambda text: " ".join(text.split()[:4]))
def test_every_manifest_of_the_documentation(text: str) -> None:
    assert wrong(yaml.safe_load(text)) == []


def test_there_are_manifests() -> None:
    assert len(MANIFESTS) > 5


ACT = {"name": "kittens", "source": {"path": "."}}
SLIPS: list[tuple[str, Any]] = [
    ("backstage_acts", {"kittens": ACT}),
    ("backstage_acts", [{**ACT, "wirtable": ["db"]}]),
    ("backstage_acts", [{"source": {"path": "."}}]),
    ("backstage_acts", [{**ACT, "state": "gone"}]),
    ("backstage_acts", [{**ACT, "timeout": "soon"}]),
    ("backstage_acts", [{**ACT, "migrate": "perhaps"}]),
    ("backstage_acts", [{**ACT, "health": {"path": "/", "statuses": [200]}}]),
    ("backstage_venues", [{"name": "a.example", "state": "half open"}]),
    ("backstage_gigs", [{"act": "kittens"}]),
]


@pytest.mark.parametrize(("variable", "given"), SLIPS)
def test_slips(variable: str, given: Any) -> None:
    assert len(wrong({variable: given})) == 1
    assert wrong({variable: given})[0].startswith(f"$.{variable}")


def test_a_template_stands_for_any_value() -> None:
    acts = [{**ACT, "timeout": "{{ longest }}", "writable": ["{{ place }}"], "health": "{{ asked }}"}]
    assert wrong({"backstage_acts": acts}) == []
    assert wrong({"backstage_acts": "{{ acts }}", "somebody_elses": 1}) == []
