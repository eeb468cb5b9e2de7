# SPDX-License-Identifier: GPL-3.0-or-later
"""Private repositories: what git's processes are told, and who else could see it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Source
from ansible_collections.backstage.django.plugins.plugin_utils import git_access

from ..told import told

URL = "https://git.example.com:8443/kittens.git"
TOKEN = "s3cret-token"
ANSWERS = [
    ("Username for 'https://git.example.com:8443': ", "ada"),
    ("Password for 'https://ada@git.example.com:8443': ", TOKEN),
    ("Username for 'https://git.example.com:8443.evil.example': ", None),
    ("Password for 'https://ada@evil.example': ", None),
    ("Password for 'https://git.example.com:8443@evil.example': ", None),
    ("Are you sure you want to continue connecting (yes/no)? ", None),
]


@pytest.mark.parametrize(("question", "answer"), ANSWERS)
def test_only_the_repositorys_host_is_answered(question: str, answer: str) -> None:
    with git_access.access(Source("git", URL, "v1", username="ada", password=TOKEN), "/") as env:
        asked = subprocess.run(
            [env["GIT_ASKPASS"], question], env={**os.environ, **env}, check=False, stdout=subprocess.PIPE, text=True
        )
        assert (asked.stdout.strip() or None) == answer


def test_a_token_is_in_no_file_and_no_argument(tmp_path: Path) -> None:
    with git_access.access(Source("git", URL, "v1", username="ada", password=TOKEN), "/") as env:
        helper = Path(env["GIT_ASKPASS"])
        assert TOKEN not in helper.read_text()
        assert helper.stat().st_mode & 0o077 == 0
    assert not helper.exists()


def test_nothing_for_a_repository_that_is_not_private() -> None:
    with git_access.access(Source("git", URL, "v1"), "/") as env:
        assert env == {}


def test_a_key_is_named_from_the_inventory(tmp_path: Path) -> None:
    key = tmp_path / "a key"
    key.write_text("")
    with git_access.access(Source("git", "git@x:a", "v1", key="a key"), str(tmp_path)) as env:
        assert env == {"GIT_SSH_COMMAND": f"ssh -o BatchMode=yes -o IdentitiesOnly=yes -i '{key}'"}


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    wanted = git_access.access(Source("git", "git@x:a", "v1", key="lost"), str(tmp_path))
    assert told(wanted.__enter__) == f"there is no key {tmp_path}/lost on the controller"


SAID = [
    ("", "git said nothing"),
    ("fatal: repository 'x' not found\n", "fatal: repository 'x' not found"),
    (
        "Warning: Permanently added 'x' (ED25519) to the list of known hosts.\n"
        "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\n"
        "Please make sure you have the correct access rights\nand the repository exists.\n",
        "git@x: Permission denied (publickey).",
    ),
    (
        "** WARNING: connection is not using a post-quantum key exchange algorithm.\n"
        '** This session may be vulnerable to "store now, decrypt later" attacks.\n'
        "git@x: Permission denied (publickey).\n",
        "git@x: Permission denied (publickey).",
    ),
]


@pytest.mark.parametrize(("said", "line"), SAID)
def test_the_line_that_tells_why(said: str, line: str) -> None:
    assert git_access._telling_line(said) == line
