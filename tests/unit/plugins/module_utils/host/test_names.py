# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: what is accepted, and that no two things ever meet under one derived name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import layout, names

LONGEST_DOOR = 102  # sun_path holds 108; uWSGI binds no more than this (HOST.md: measured)
USERADD = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")  # what useradd(8) of both Debians accepts

PATTERNS = [
    (names.PRODUCTION, ["a", "jazz", "j2", "a" * 15], ["", "J", "2j", "jazz-club", "a_b", "a" * 16, "jazz\n", "é"]),
    (
        names.ACT,
        ["a", "kittens", "a-b", "a-", "root", "www-data", "a" * 32],
        [
            "",
            "../x",
            "a/b",
            "-rf",
            ".",
            "..",
            "a" * 33,
            "a" * 300,
            "kätzchen",
            "a\n",
            "a\nb",
            "A",
            "a_b",
            "con%d",
            "a b",
        ],
    ),
    (names.VARIABLE, ["A", "_a", "A1", "A" * 128], ["", "1A", "A-B", "A=B", "A\n", "Ä", "A" * 129, "A B", "A.B"]),
    (names.DOTTED, ["a", "a.b", "a_b.c1"], ["", ".a", "a.", "a..b", "a-b", "a:b", "a\n", "1a", "a/b", "ä"]),
    (names.CALLABLE, ["a:b", "a.b:c"], ["a", "a:", ":b", "a:b.c", "a:b\n", "a:b:c", "a:b()", "a/b:c"]),
    (names.RELEASE, ["0" * 12, "0123456789ab"], ["", "0" * 11, "0" * 13, "g" * 12, "A" * 12, "0" * 12 + "\n"]),
    (
        names.SESS,
        ["0" * 12 + ".1", "a" * 12 + ".999999"],
        ["0" * 12, "0" * 12 + ".0", "0" * 12 + ".01", "0" * 12 + ".1234567", "0" * 12 + ".1\n", "0" * 12 + ".-1"],
    ),
    (names.PACKAGE, ["sassc", "g++", "libx11-6", "python3.11"], ["", "a", "-y", "A1", "a=1", "a\n", "a b", "a/b"]),
]


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [(p, name, True) for p, good, _bad in PATTERNS for name in good]
    + [(p, name, False) for p, _good, bad in PATTERNS for name in bad],
)
def test_fault_38_pattern(pattern: re.Pattern[str], name: str, matches: bool) -> None:
    assert bool(pattern.match(name)) is matches


HOSTS = [
    ("kittens.example.com", True),
    ("localhost", True),
    ("xn--ktzchen-5wa.example", True),
    ("1.2.3.4", True),
    ("a" * 63 + ".example", True),
    (".".join(["a" * 49] * 5) + ".abc", True),  # 253 characters
    (".".join(["a" * 49] * 5) + ".abcd", False),
    ("a" * 64 + ".example", False),
    ("", False),
    (".", False),
    ("a..b", False),
    (".a", False),
    ("a.", False),
    ("-a.b", False),
    ("a-.b", False),
    ("a_b.c", False),
    ("*.example.com", False),
    ("~^a$", False),
    ("a;b", False),
    ("a{b", False),
    ("a b", False),
    ("a\nb", False),
    ("a.b\n", False),
    ("$host", False),
    ("A.example", False),
    ("ä.example", False),
]


@pytest.mark.parametrize(("name", "good"), HOSTS)
def test_fault_39_host_name(name: str, good: bool) -> None:
    assert names.is_host_name(name) is good


def productions() -> list[str]:
    return ["a", "ab", "jazz", "a" * 14, "a" * 15, "a" * 14 + "b"]


def acts() -> Iterator[str]:
    """Every Act name of a few letters, and those around the length where user names are shortened."""
    for length in (1, 2, 3, 4):
        for tail in itertools.product("ab-", repeat=length - 1):
            yield "a" + "".join(tail)
    for length in range(5, 33):
        for fill, end in itertools.product("a-", ("a", "b", "-", "--", "ab", "a-", "b-")):
            yield "a" + (fill * 32)[: length - 1 - len(end)] + end


def test_fault_23_no_two_users_are_one() -> None:
    owners: dict[str, tuple[str, ...]] = {}
    for production in productions():
        told = [(names.environment_builder(production), (production,))]
        for act in sorted(set(acts())):
            told.append((names.player(production, act), (production, act, "player")))
            told.append((names.builder(production, act), (production, act, "builder")))
        for user, owner in told:
            assert USERADD.match(user), f"useradd refuses {user} of {owner}"
            assert owners.setdefault(user, owner) == owner
    assert len(owners) > 2000


@pytest.mark.parametrize(
    ("name", "user"),
    [
        (names.player("jazz", "kittens"), "jazz-kittens"),
        (names.builder("jazz", "kittens"), "jazz_kittens"),
        (names.environment_builder("jazz"), "jazz__build"),
        (names.player("jazz", "a" * 27), "jazz-" + "a" * 27),
        (names.player("jazz", "a" * 28), "jazz-" + "a" * 18 + "_2e7cc05e"),
        (names.builder("jazz", "a" * 28), "jazz_" + "a" * 18 + "_d65ad76a"),
        # shortened in the middle of hyphens: none is left before the hash
        (names.player("jazz", "a" + "-" * 31), "jazz-a_ae60bc99"),
    ],
)
def test_user(name: str, user: str) -> None:
    # stored: a user lives as long as its data, so a later Backstage has to find the same name
    assert name == user


def test_the_longest_door_can_be_bound() -> None:
    door = layout.Production("a" * 15).act("a" * 32).sess("0" * 12 + ".999999").socket
    assert len(door) <= LONGEST_DOOR


def test_fault_23_vassals_tell_production_act_and_sess_apart() -> None:
    told = [("jazz", "blog", "0" * 12 + ".1"), ("jazz", "blog2", "0" * 12 + ".1"), ("jazz", "blog", "0" * 12 + ".11")]
    files = [names.vassal(*what) for what in told]
    assert [tuple(name.split(".", 3)[1:3]) for name in files] == [what[:2] for what in told]
    assert len(set(files)) == len(told)
    assert files[0] == "backstage.jazz.blog.000000000000.1.ini"
