# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the test index: download the packages that packages.yml and tests/acts name, and write pages that list them."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tomllib
import yaml
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

TESTS = Path(__file__).resolve().parents[1]
UV = str(Path(sys.executable).with_name("uv"))
PYTHONS = {"bookworm": (3, 11), "trixie": (3, 13)}
TIMEOUT = 120

Line = tuple[str, list[str]]


def lines() -> Iterator[Line]:
    """A Debian release, and packages that are resolved together for its Python."""
    listed = yaml.safe_load((TESTS / "garage/packages.yml").read_text(encoding="utf-8"))
    acts = yaml.safe_load((TESTS / "acts/recipes.yml").read_text(encoding="utf-8"))["acts"]
    stage = yaml.safe_load((TESTS.parent / "roles/stage/defaults/main.yml").read_text(encoding="utf-8"))
    for debian in PYTHONS:
        for packages in [*listed["everywhere"], [f"uv=={stage['stage_uv_version']}"]]:
            yield debian, packages
        for act in acts:
            if debian == "bookworm" or act["name"] not in listed["bookworm"]:
                yield debian, act["pypi"]


def fill(cache: Path) -> list[str]:
    """Fetch what the cache lacks; return the names of the index' files.

    The answer to a line is kept beside the files, so that the next run asks nobody.
    """
    cache.mkdir(parents=True, exist_ok=True)
    packages = _all_of(cache, list(lines()))
    # a build of one of these asks the index for its build backend
    backends = [json.dumps(_build_requires(cache / name)) for name in packages if not name.endswith(".whl")]
    for needed in sorted(set(backends)):
        packages |= _all_of(cache, [(debian, json.loads(needed)) for debian in PYTHONS])
    return sorted(packages)


def _all_of(cache: Path, wanted: list[Line]) -> set[str]:
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = pool.map(lambda line: _answer(cache, line), wanted)
        items = {item["name"]: item for answer in answers for item in answer}
        list(pool.map(lambda item: _fetch(cache, item), items.values()))
    return set(items)


def _build_requires(sdist: Path) -> list[str]:
    """Return the packages that its build needs (PEP 517, 518)."""
    with tarfile.open(sdist) as tar:
        found = [member for member in tar if re.fullmatch("[^/]+/pyproject.toml", member.name)]
        file = tar.extractfile(found[0]) if found else None
        text = file.read().decode() if file else ""
    requires: list[str] = tomllib.loads(text).get("build-system", {}).get("requires", ["setuptools", "wheel"])
    return sorted(requires)


def _answer(cache: Path, line: Line) -> list[dict[str, str]]:
    key = hashlib.sha256(json.dumps(line).encode()).hexdigest()[:16]
    answer = cache / f"{key}.json"
    if not answer.exists():
        answer.write_text(json.dumps(list(_resolve(cache / f"pylock.{key}.toml", *line))))
    files: list[dict[str, str]] = json.loads(answer.read_text())
    return files


def _resolve(lock: Path, debian: str, packages: list[str]) -> Iterator[dict[str, str]]:
    """Return the file of each package that an installer on this Debian would choose."""
    version = PYTHONS[debian]
    argv = [UV, "pip", "compile", "-", "--quiet", "--no-config", "--format=pylock.toml", f"--output-file={lock}"]
    argv += [f"--python-version={version[0]}.{version[1]}", "--python=/usr/bin/python3"]
    env = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    subprocess.run(argv, input="\n".join(packages), text=True, env=env, check=True, stdout=sys.stderr)
    tags = [*cpython_tags(version), *compatible_tags(version, "cp")]
    for package in tomllib.loads(lock.read_text())["packages"]:
        item = _best(package.get("wheels", []), tags) or package["sdist"]
        name = item.get("name") or item["url"].rpartition("/")[2]
        yield {"name": name, "url": item["url"], "sha256": item["hashes"]["sha256"]}


def _best(wheels: list[dict[str, Any]], tags: list[Tag]) -> dict[str, Any] | None:
    ranked = []
    for wheel in wheels:
        fitting = parse_wheel_filename(wheel["url"].rpartition("/")[2])[3]
        ranks = [number for number, tag in enumerate(tags) if tag in fitting]
        ranked += [(ranks[0], wheel["url"], wheel)] if ranks else []
    return min(ranked)[2] if ranked else None


def _fetch(cache: Path, item: dict[str, str]) -> None:
    if (cache / item["name"]).exists():
        return
    with urllib.request.urlopen(item["url"], timeout=TIMEOUT) as answer:  # noqa: S310 -- https, from the index' own answer
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != item["sha256"]:
        raise SystemExit(f"{item['url']} is not what the index says")
    part = cache / (item["name"] + ".part")
    part.write_bytes(content)
    part.rename(cache / item["name"])


def pages(files: Iterable[Path], url: str, target: Path) -> None:
    """Write an index (PEP 503): one page a package, with the hash of each file.

    Args:
        files: what it holds.
        url: where they are.
        target: the directory of the pages.
    """
    listed: dict[str, list[Path]] = {}
    for file in sorted(files):
        parse = parse_wheel_filename if file.suffix == ".whl" else parse_sdist_filename
        listed.setdefault(canonicalize_name(parse(file.name)[0]), []).append(file)
    for name, found in listed.items():
        links = (f'<a href="{url}{file.name}#sha256={_sha256(file)}">{file.name}</a><br>' for file in found)
        _page(target / name, links)
    _page(target, (f'<a href="{html.escape(name)}/">{name}</a><br>' for name in listed))


def _page(folder: Path, links: Iterable[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<!doctype html>\n" + "\n".join(links) + "\n")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
