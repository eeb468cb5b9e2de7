# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test index and git server have on offer, and the corpus beside it: stock.py STATE URL

STATE is the garage's directory, URL where its supplies are reached. What manifests need to know of them is in
supplies/stock.json.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "garage"), str(TESTS / "scenarios")]  # scripts of this checkout, and no installed package

import corpus  # noqa: E402
import packages  # noqa: E402
import projects  # noqa: E402
import repository  # noqa: E402
import supplies  # noqa: E402


def edition(project: Path, target: Path, name: str) -> Path:
    """A copy of a project that calls itself otherwise."""
    shutil.copytree(project, target)
    settings = next(target.rglob("settings.py"))
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(f'CLUB = "{project.name}"', f'CLUB = "{name}"'), encoding="utf-8")
    return target


def publish(work: Path, place: Path) -> None:
    """A bare copy of a repository, where the git server looks for it."""
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    repository.git(work, "clone", "--quiet", "--bare", str(work), str(place))
    # a commit that no branch has any more can be asked for, as at the large hosters
    repository.git(place, "config", "uploadpack.allowReachableSHA1InWant", "true")
    repository.git(place, "config", "http.receivepack", "false")


def repositories(made: Path, git: Path) -> None:
    """plain: two editions; closed/plain: the same behind a token; monorepo with a submodule, for the deploy key."""
    with tempfile.TemporaryDirectory() as scratch:
        first, second = (edition(made / "plain", Path(scratch) / name, name) for name in ("first", "second"))
        work = Path(scratch) / "plain"
        repository.make(work, [first, second])
        publish(work, git / "open" / "plain.git")
        publish(work, git / "closed" / "plain.git")
        tune = Path(scratch) / "tune"
        repository.make(tune, [made / "local-package" / "vendor" / "tune"])
        publish(tune, git / "open" / "tune.git")
        rooms = Path(scratch) / "rooms"
        repository.make(rooms, [edition(made / "monorepo", Path(scratch) / "keyed", "keyed")])
        submodule = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "-b", "main"]
        repository.git(rooms, *submodule, str(tune), "tune")
        repository.git(rooms, "config", "--file", ".gitmodules", "submodule.tune.url", "../../open/tune.git")
        repository.git(rooms, "commit", "--quiet", "--all", "--message=With a tune")
        publish(rooms, git / "keyed" / "rooms.git")


def archives(made: Path, target: Path) -> None:
    """One project as a release page has it: with a directory around it, as tar and as zip."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = edition(made / "plain", Path(scratch) / "club-1.0", "archived")
        with tarfile.open(target / "club-1.0.tar.gz", "w:gz") as tar:
            tar.add(place, "club-1.0")
        shutil.make_archive(str(target / "club-1.0"), "zip", scratch, "club-1.0")


def index(stock: Path, cache: Path) -> None:
    names = supplies.fill(cache)
    packages.build(stock, cache)
    own = {
        half: [file for pattern in ("*.whl", "*.tar.gz") for file in (stock / half).glob(pattern)]
        for half in ("public", "private")
    }
    supplies.pages([*(cache / name for name in names), *own["public"]], "/files/", stock / "simple")
    supplies.pages(own["private"], "/private/files/", stock / "private" / "simple")


def facts(stock: Path, url: str) -> dict[str, str]:
    """What a manifest names of it."""
    revue = next((stock / "public").glob("garage_revue-*.whl"))
    return {
        "url": url,
        "password": (stock / "password").read_text(encoding="utf-8"),
        "commit": repository.git(stock / "git/open/plain.git", "rev-parse", "v1^{commit}").strip(),
        "tar_sha256": corpus.sha256(stock / "archives/club-1.0.tar.gz"),
        "zip_sha256": corpus.sha256(stock / "archives/club-1.0.zip"),
        "revue": f"{url}/files/{revue.name}",
        "revue_sha256": corpus.sha256(revue),
    }


def main(state: Path, url: str) -> None:
    stock, made = state / "supplies", state / "corpus"
    cache = Path(os.environ.get("GARAGE_CACHE") or Path.home() / ".cache/backstage-garage") / "packages"
    index(stock, cache)
    bed = projects.Bed(f"{url}/simple/", state / "controller" / "authorities.pem", (cache, stock / "nowhere"))
    corpus.make(made, bed)
    repositories(made, stock / "git")
    archives(made, stock / "archives")
    (stock / "stock.json").write_text(json.dumps(facts(stock, url), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
