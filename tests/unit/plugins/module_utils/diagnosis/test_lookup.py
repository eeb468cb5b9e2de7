# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes and cures: every row by the words that Django, uWSGI, nginx, uv, psycopg and Python really print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.backstage.django.plugins.module_utils.diagnosis import causes, lookup

TEXTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("causes.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", TEXTS, ids=[case["cause"] for case in TEXTS])
def test_row(case: dict[str, Any]) -> None:
    cause = lookup.look(case["text"])
    assert cause
    assert (cause.row.name, cause.sentence) == (case["cause"], case["says"])
    assert lookup.find(case["text"]) == case["says"]


@pytest.mark.parametrize("case", TEXTS, ids=[case["cause"] for case in TEXTS])
def test_a_sentence_tells_its_cause(case: dict[str, Any]) -> None:
    """What a run said is enough to know the row and what it found, whatever stands around it."""
    for said in (case["says"], f"/ answers 500: {case['says']}"):
        cause = lookup.recall(said)
        assert cause
        assert cause.row.name == case["cause"]
        assert cause.sentence == case["says"]


def test_every_row_has_a_real_text() -> None:
    names = [row.name for row in causes.ROWS]
    assert list(dict.fromkeys(case["cause"] for case in TEXTS)) == names
    assert len(set(names)) == len(names)


def test_a_sentence_is_one_line() -> None:
    assert [row.name for row in causes.ROWS if "\n" in row.sentence or len(row.sentence) > 200] == []


def test_a_sentence_never_has_a_hole() -> None:
    """uWSGI says this of a request where its Python plugin is missing: no option is named, and none is wrong."""
    assert "?" not in lookup.find("-- unavailable modifier requested: 0 --")


UNKNOWN = [
    *("", "all is well", "KeyError: 'pk'", "KeyError: 0", "Django version 5.2.15"),
    # of a request, not of the environment
    *("KeyError: 'HTTP_X_REAL_IP'", "KeyError: 'REMOTE_USER'"),
    # of another service than an index of packages
    "httpx.HTTPStatusError: Client error '403 Forbidden' for url 'https://api.example.com/'",
    "npm error 401 Unauthorized - GET https://npm.example.com/a",
]


@pytest.mark.parametrize("text", UNKNOWN)
def test_unknown(text: str) -> None:
    assert lookup.find(text) == ""
    assert lookup.look(text) is None
    assert lookup.recall(text) is None
    assert lookup.all_in(text) == []


def test_all_in_a_log() -> None:
    log = "KeyError: 'A'\nfine\nOperationalError: no such table: a_b\nKeyError: 'A'\n"
    known = ["KeyError: 'A'", "OperationalError: no such table: a_b"]
    assert lookup.all_in(log) == [lookup.find(text) for text in known]


EXPLAINED = [
    # (step, error, log, sentence): the error counts more than the log, and both more than nothing
    ("check", "KeyError: 'A'", "KeyError: 'B'", "the environment variable A is missing: add it to 'env' or 'secrets'"),
    ("check", "ValueError: x", "KeyError: 'B'", "the environment variable B is missing: add it to 'env' or 'secrets'"),
    ("check", "ValueError: one\ntwo", "", "check failed: ValueError: one"),
    ("check", "", "", "check failed: it printed no reason"),
    ("check", "AssertionError: ", "", "check failed: AssertionError"),
    ("check", "", "Traceback (most recent call last):\nValueError: x\n", "check failed: ValueError: x"),
]


@pytest.mark.parametrize(("step", "error", "log", "sentence"), EXPLAINED)
def test_explain(step: str, error: str, log: str, sentence: str) -> None:
    assert lookup.explain(step, error, log) == sentence


# as uWSGI's log has it, when an Act's own module ends its start
ENDED = """
*** Operational MODE: preforking ***
Traceback (most recent call last):
  File "/usr/local/lib/backstage/wrapper/backstage_wrapper.py", line 42, in load
    module = importlib.import_module(module_name)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/backstage/jazz/acts/shop/releases/0123456789ab/code/site1/urls.py", line 3, in <module>
    from shop import views
  File "/srv/backstage/jazz/acts/shop/releases/0123456789ab/code/src/code/views.py", line 12, in <module>
    register({})
  File "/srv/backstage/jazz/environments/0/lib/python3.11/site-packages/registry.py", line 7, in register
    raise RegistryError("two of one name")
registry.RegistryError: two of one name
VACUUM: unix socket /srv/backstage/jazz/acts/shop/sesses/0123456789ab.1/door/s removed.
"""
SYNTAX = """
Traceback (most recent call last):
  File "/srv/backstage/jazz/acts/shop/releases/0123456789ab/code/manage.py", line 9, in <module>
    main()
  File "/srv/backstage/jazz/acts/shop/releases/0123456789ab/code/site1/settings.py", line 2
    purr = = 1
           ^
SyntaxError: invalid syntax
"""
ENDS = [
    ("", ""),
    ("all is well\n", ""),
    (ENDED, "registry.RegistryError: two of one name (src/code/views.py:12)"),
    (SYNTAX, "SyntaxError: invalid syntax (site1/settings.py:2)"),
    ('Traceback (most recent call last):\n  File "/usr/lib/python3.11/runpy.py", line 3\nKeyError\n', "KeyError"),
    (SYNTAX + ENDED, "registry.RegistryError: two of one name (src/code/views.py:12)"),
    ("Traceback (most recent call last):\n  cut", ""),
]


@pytest.mark.parametrize(("log", "said"), ENDS)
def test_an_error_that_nobody_knows(log: str, said: str) -> None:
    """The exception's last line, and the last line of the project's own code before it."""
    assert lookup.unknown(log) == said


NAMES = "add the name to ALLOWED_HOSTS (it is in BACKSTAGE_HOSTS)"
ANSWERS = [
    (400, "", f"the Act answers 400 to the host 'a.example': {NAMES}"),
    (404, "", "nothing at /up/ (404): set health.path to a page that the Act has"),
    (500, "", "/up/ answers 500"),
    (500, "<h1>Server Error (500)</h1>", "/up/ answers 500"),
    (
        500,
        "OperationalError: no such table: a_b",
        "/up/ answers 500: the database has no table 'a_b': has 'migrate' run on the database that the Act uses?",
    ),
    (302, "", "/up/ answers 302"),
]


@pytest.mark.parametrize(("status", "log", "sentence"), ANSWERS)
def test_answer(status: int, log: str, sentence: str) -> None:
    assert lookup.answer(status, "/up/", "a.example", log) == sentence


@pytest.mark.parametrize(
    ("text", "end"), [("", ""), ("\n\na\n\n", "a"), ("a\nb\nc\nd\n", "b\nc\nd"), ("  a\n b", "a\n b")]
)
def test_tail(text: str, end: str) -> None:
    assert lookup.tail(text, 3) == end


BEGINS = "Traceback (most recent call last):\n"
DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"
CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
CHAINS = [
    ("", ""),
    ("a line\n", ""),
    (f"a\n{BEGINS}  x\nValueError\n", f"{BEGINS}  x\nValueError\n"),
    (f"{BEGINS}KeyError\nwarned only\n{BEGINS}ValueError\n", f"{BEGINS}ValueError\n"),
    (
        f"{BEGINS}OSError\n\n{BEGINS}A\n{CAUSED}{BEGINS}B\n{DURING}{BEGINS}C\nmore\n",
        f"{BEGINS}A\n{CAUSED}{BEGINS}B\n{DURING}{BEGINS}C\nmore\n",
    ),
]


@pytest.mark.parametrize(("text", "found"), CHAINS)
def test_the_exceptions_that_led_to_the_last_one(text: str, found: str) -> None:
    assert lookup.chain(text) == found


def test_tail_is_short_enough_to_read() -> None:
    assert len(lookup.tail("line\n" * 1000).splitlines()) == lookup.LINES <= 30
