# SPDX-License-Identifier: GPL-3.0-or-later
"""Real git repositories, made by git itself and without this machine's configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}


def git(path: Path, *arguments: str) -> str:
    argv = ["git", "-C", str(path), *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=ENV).stdout.strip()


def repository(path: Path) -> Path:
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch", "main")
    return path


def commit(path: Path, **texts: str) -> str:
    """Commit files of these texts; two underscores in a name are a dot. Gives the commit's id."""
    for name, text in texts.items():
        (path / name.replace("__", ".")).write_text(text)
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--allow-empty", "--message", "one more")
    return git(path, "rev-parse", "HEAD")
