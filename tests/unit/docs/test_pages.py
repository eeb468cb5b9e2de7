# SPDX-License-Identifier: GPL-3.0-or-later
"""Every link of the pages leads somewhere, every playbook and module is named, and every block of code reads."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest
from pages import PAGES, PROJECT, anchors


def blocks(language: str) -> list[tuple[str, str]]:
    """The code blocks in a language, each with where it stands."""
    found = []
    for page in PAGES:
        fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
        texts = fence.findall(page.read_text(encoding="utf-8"))
        found += [(f"{page.name}: {text.splitlines()[0]}", text) for text in texts]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _hash, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize(("place", "text"), blocks("yaml"))
def test_yaml_blocks(place: str, text: str) -> None:
    assert yaml.safe_load(text), place


@pytest.mark.parametrize(("place", "text"), [block for block in blocks("yaml") if "backstage_acts:" in block[1]])
def test_manifests_are_accepted(place: str, text: str) -> None:
    text = re.sub(r"\bsrc: \S+", "content: of that file", text)  # which the controller reads
    variables = yaml.safe_load(re.sub(r"\{\{ (\w+) \}\}", r"value of \1", text))
    options = {name.removeprefix("backstage_"): value for name, value in variables.items()}
    assert manifest.parse({"production": "cats", **options}).acts, place


@pytest.mark.parametrize(("place", "text"), blocks("python"))
def test_python_blocks(place: str, text: str) -> None:
    assert ast.parse(text).body, place


def test_the_readme_names_every_playbook_and_module() -> None:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    playbooks = [path.stem for path in sorted((PROJECT / "playbooks").glob("*.yml"))]
    assert [name for name in playbooks if f"| `{name}` |" not in text] == []
    modules = [path.stem for path in sorted((PROJECT / "plugins" / "modules").glob("*.py"))]
    short = {name: name.replace("backstage_", "_") for name in modules}
    assert [name for name in modules if name not in text and f"`{short[name]}`" not in text] == []
