# SPDX-License-Identifier: GPL-3.0-or-later
"""The last exception in the log of an Act, which may print anything."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.productions import last_errors

BEGIN = "Traceback (most recent call last):"
FRAMES = '  File "/srv/x/views.py", line 7, in home\n    return 1 / 0\n           ~~^~~\n'
AT = "2026-11-30T10:00:00+0100 "
OUTER = "\nDuring handling of the above exception, another exception occurred:\n\n"
# the log, when and what is told
LOGS: dict[str, tuple[str, Optional[str], Optional[str]]] = {
    "none": ("started\nall is well: Error\n", None, None),
    "one": (f"{BEGIN}\n{FRAMES}ValueError: a: b\n", None, "ValueError: a: b"),
    "with its time": (f"{AT}{BEGIN}\n{FRAMES}KeyError: 'x'\nmore\n", "2026-11-30T09:00:00Z", "KeyError: 'x'"),
    "the last of two": (
        f"{BEGIN}\n{FRAMES}KeyError\n{BEGIN}\n{FRAMES}a.Cat.DoesNotExist\n",
        None,
        "a.Cat.DoesNotExist",
    ),
    "of a chain the outer one": (
        f"{BEGIN}\n{FRAMES}KeyError\n{OUTER}{BEGIN}\n{FRAMES}ValueError: y\n",
        None,
        "ValueError: y",
    ),
    "not complete yet": (f"{BEGIN}\n{FRAMES}KeyError: 'x'\n{BEGIN}\n  File", None, "KeyError: 'x'"),
    "a secret": (f"{BEGIN}\n{FRAMES}KeyError: 'purrpurr'\n", None, "KeyError: '********'"),
    "what a terminal obeys": (f"{BEGIN}\n{FRAMES}KeyError: \x1b[2J\n", None, "KeyError: ?[2J"),
    "a long one": (f"{BEGIN}\n{FRAMES}KeyError: {'x' * 1000}\n", None, f"KeyError: {'x' * 290}"),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_last_error(tmp_path: Path, name: str) -> None:
    text, at, told = LOGS[name]
    (tmp_path / "log").write_text(text)
    found = last_errors.of(str(tmp_path / "log"), ["purrpurr"])
    assert found == ({"at": at, "text": told} if told else None)


def test_only_the_end_of_a_log_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_errors, "MOST", 1000)
    (tmp_path / "log").write_bytes(f"{BEGIN}\n{FRAMES}KeyError\n".encode() + b"\xff\n" * 600)
    assert last_errors.of(str(tmp_path / "log"), []) is None
    assert last_errors.of(str(tmp_path / "none"), []) is None
