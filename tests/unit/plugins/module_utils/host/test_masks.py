# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is left in what a program printed, however it printed it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host.masks import MASK, mask

KEY = "-----BEGIN KEY-----\nc2VjcmV0\n-----END KEY-----"
QUOTED = 'it\'s "so" \\ \u00e9'
URL = "postgres://kittens:p%40ssword@db.example.com/kittens"

CASES = [
    # (text, secrets, what is left)
    ("nothing in here", ["purrpurr"], "nothing in here"),
    ("key=purrpurr, purrpurr", ["purrpurr"], f"key={MASK}, {MASK}"),
    ("purrpurrpurrpurr", ["purrpurr", "purrpurrpurrpurr"], MASK),  # the longer one first, or its end would stay
    (KEY, [KEY], MASK),
    ("c2VjcmV0 was read", [KEY], f"{MASK} was read"),
    (repr(KEY), [KEY], f"'{MASK}'"),
    (json.dumps({"key": QUOTED}), [QUOTED], f'{{"key": "{MASK}"}}'),
    (repr(QUOTED), [QUOTED], f"'{MASK}'"),
    (f"DATABASE_URL={URL}", [URL], f"DATABASE_URL={MASK}"),
    ("PASSWORD: p@ssword", [URL], f"PASSWORD: {MASK}"),
    ("PASSWORD: p%40ssword", [URL], f"PASSWORD: {MASK}"),
    ("a, b", ["a\nb"], "a, b"),  # one letter occurs by chance
    ("http://[", ["http://[::secret"], "http://["),  # no URL at all
    # what the project itself wrote into a file of requirements is in no list of secrets
    ("--index-url https://reader:purrpurr@a.example/simple/", [], f"--index-url https://{MASK}@a.example/simple/"),
    (
        "tried 'https://purrpurr@a.example/x', http://b:c@d/",
        [],
        f"tried 'https://{MASK}@a.example/x', http://{MASK}@d/",
    ),
    ("git+https://reader:purr@purr@a.example/x", [], f"git+https://{MASK}@a.example/x"),
    ("postgres://jazz:purrpurr@db/jazz, redis://:purrpurr@db", [], f"postgres://{MASK}@db/jazz, redis://{MASK}@db"),
    ("ssh://git@a.example/x.git, git@a.example:x.git", [], "ssh://git@a.example/x.git, git@a.example:x.git"),
    ("https://a.example/@scope/b", [], "https://a.example/@scope/b"),
    ("written by ada@a.example, see https://a.example", [], "written by ada@a.example, see https://a.example"),
]


@pytest.mark.parametrize(("text", "secrets", "left"), CASES)
def test_mask(text: str, secrets: list[str], left: str) -> None:
    assert mask(text, secrets) == left
