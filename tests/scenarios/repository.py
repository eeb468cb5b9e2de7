# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a git repository for a test: repository.py TARGET FOLDER...

Each folder is copied over those before it and committed on `main`, and the commits are tagged v1, v2, ...
Dates and authors are fixed, so that the same folders always make the same commits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Busker",
    "GIT_AUTHOR_EMAIL": "busker@example.com",
    "GIT_AUTHOR_DATE": "2026-07-01T12:00:00+00:00",
    "GIT_COMMITTER_NAME": "Busker",
    "GIT_COMMITTER_EMAIL": "busker@example.com",
    "GIT_COMMITTER_DATE": "2026-07-01T12:00:00+00:00",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def git(target: Path, *words: str, text: str = "") -> str:
    """Run git in a directory with a text as its input, and return its output."""
    env = {**os.environ, **IDENTITY}
    done = subprocess.run(
        ["git", *words], cwd=target, env=env, input=text, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def make(target: Path, folders: list[Path]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    git(target, "init", "--quiet", "--initial-branch=main")
    for number, folder in enumerate(folders, 1):
        # if a file kept its old time and size, git would not see the change
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(folder, target, dirs_exist_ok=True, ignore=ignored, copy_function=shutil.copy)
        git(target, "add", "--all")
        git(target, "commit", "--quiet", f"--message=Edition {number}")
        git(target, "tag", "--annotate", f"--message=Edition {number}", f"v{number}")


if __name__ == "__main__":
    make(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
