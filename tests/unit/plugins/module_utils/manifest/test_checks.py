# SPDX-License-Identifier: GPL-3.0-or-later
"""What a value of the manifest may be: each row is one value and a part of what is said to it (None: accepted)."""

from __future__ import annotations

from typing import Any, Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest import checks

Rows = list[tuple[Any, Optional[str]]]

LETTER = "use a letter"
INSIDE = "use a path inside the code"
SHORTEST = "in its shortest form"
LEAVES = "it leaves the code"
HOST = "use a DNS host name"
URL = "use an absolute URL path"
MANAGE = "use a *.py file of the project"
VERSION = "use a tag, a branch or a full commit id"
REPOSITORY = "use an https, ssh or git URL"
CREDENTIALS = "it holds credentials"

MEMORY = "use a number and K, M or G, such as 512M"
CPU = "use a percentage of one core, such as 50% (200% is two cores)"

LIMITS_OF_MEMORY: Rows = [
    *[(value, None) for value in ("32M", "512M", "1G", "32768K")],
    *[(value, "no Sess starts with so little; use at least 32M") for value in ("31M", "32767K", "1K")],
    *[
        (value, MEMORY)
        for value in ("", "512", "0M", "1.5G", "512m", "512MB", "-1G", "1T", "1G\n", "\u0661G", "infinity")
    ],
    ("9" * 13 + "G", MEMORY),
]
LIMITS_OF_CPU: Rows = [
    *[(value, None) for value in ("5%", "50%", "100%", "800%")],
    *[(value, "no Sess starts with so little; use at least 5%") for value in ("1%", "4%")],
    *[(value, CPU) for value in ("", "50", "0%", "50.5%", "-5%", "50 %", "50%\n", "\u0665\u0660%", "9999999%", "one")],
]
PRODUCTIONS: Rows = [
    ("jazz", None),
    ("a" * 15, None),
    ("a" * 16, LETTER),
    ("", LETTER),
    ("jazz-club", LETTER),
    ("Jazz", LETTER),
    ("jazz\n", LETTER),
    *[(name, "this name is taken by the system") for name in ("backstage", "www", "root", "systemd")],
]
# FAULTS 38
ACTS: Rows = [
    ("kittens", None),
    ("root", None),
    ("www-data", None),
    *[
        (name, LETTER)
        for name in ("../x", "a/b", "-rf", ".", "", "a" * 300, "kätzchen", "a\nb", "a\n", "con%d", "A", "a_b", "a b")
    ],
]
# FAULTS 39
HOSTS: Rows = [
    ("kittens.example.com", None),
    ("xn--mnchen-3ya.de", None),
    ("Kittens.Example.com", "write it as 'kittens.example.com'"),
    ("kittens.example.com.", "write it as 'kittens.example.com'"),
    ("münchen.de", "write its ASCII form, 'xn--mnchen-3ya.de'"),
    ("ä" * 70 + ".de", "write its ASCII form, 'xn--...'"),
    *[
        (name, HOST)
        for name in (
            "a;b",
            "a{b",
            "a\nb",
            "a.b\n",
            "a b",
            "$a",
            "~^a$",
            "*.a.b",
            "_",
            "a_b.c",
            "a" * 64 + ".de",
            "",
            "a..b",
        )
    ],
]
# below 200 characters nginx and the log files, whose names hold the Production's, have room (NAME_MAX is 255)
LONG_HOSTS: Rows = [(".".join(["a" * 39] * 5), None), (".".join(["a" * 49] * 5) + ".abc", "it is longer than 200")]
PATHS: Rows = [
    ("manage.py", None),
    ("a/b/c.txt", None),
    ("a b/ä", None),
    (".hidden", None),
    ("a" * 1024, None),
    ("a" * 1025, INSIDE),
    ("", INSIDE),
    ("a\nb", INSIDE),
    ("a\0b", INSIDE),
    ("a\x7fb", INSIDE),
    ("/etc/passwd", SHORTEST),
    ("//etc", SHORTEST),
    ("-rf", SHORTEST),
    ("./a", SHORTEST),
    ("a/", SHORTEST),
    ("a//b", SHORTEST),
    ("a/./b", SHORTEST),
    ("a/../b", SHORTEST),
    ("a/..", SHORTEST),
    ("..", LEAVES),
    ("../a", LEAVES),
    ("../../a", LEAVES),
    ("..a", None),
    # the code itself is no file of it: "writable: [.]" would be accepted and end in a traceback at the seal
    (".", "name something inside the code"),
]
WRITABLE: Rows = [
    ("db.sqlite3", None),
    ("index/", None),
    ("index//", SHORTEST),
    ("/", INSIDE),
    ("../", LEAVES),
    ("./", "name something inside the code"),
]
# these end in a vassal's ini, where %, $( and @( are code (FAULTS 41)
DIRECTORIES: Rows = [
    (".", None),
    ("site", None),
    ("src/site-2", None),
    ("../site", LEAVES),
    ("/srv", SHORTEST),
    *[
        (name, "use a path of letters")
        for name in ("a%d", "$(HOME)", "a@(/etc/shadow)", "@(sym)", "site ", " site", "", "a\n")
    ],
]
URLS: Rows = [
    ("/", None),
    ("/about/?a=1&b=%20", None),
    *[(path, URL) for path in ("", "about/", "http://a/", "/a b", "/a\r\nX: 1", "/a\n", "/ä", "/a#b", '/a"b', "/a{b}")],
]
COMMANDS: Rows = [
    ("npm ci --omit=dev", None),
    ("echo 'a b' \"c\"", None),
    ("a; rm -rf / && $(b)", None),  # words, never a shell's line
    ("a 'b", "its quotes do not match"),
    ("", "it is empty"),
    ("   ", "it is empty"),
    ("a\nb", "write it on one line"),
    ("a\0b", "write it on one line"),
]
MANAGES: Rows = [
    ("manage.py", None),
    ("src/manage.py", None),
    ("-m kittens", None),
    ("-m kittens.cli", None),
    ("mailman-web", None),
    ("../manage.py", LEAVES),
    ("/usr/bin/x.py", SHORTEST),
    ("-m", MANAGE),
    ("-m a b", "write '-m module'"),
    ("-m -c", "write '-m module'"),
    ("-x", MANAGE),
    ("bin/kittens", MANAGE),
    ("..", MANAGE),
    ("a b", MANAGE),
    ("a\n", MANAGE),
    ("", MANAGE),
]
MODULES: Rows = [
    ("kittens.settings", None),
    *[(name, "use a dotted module") for name in ("a b", "a/b", "a:b", "a.", "-m")],
]
CALLABLES: Rows = [
    ("kittens.wsgi:application", None),
    ("kittens.wsgi", "use 'module:callable'"),
    ("kittens.wsgi:application\n", "use 'module:callable'"),
    ("kittens.asgi:application", None),
]
PACKAGES: Rows = [
    ("sassc", None),
    ("g++", None),
    *[(name, "no Debian package") for name in ("-y", "a b", "A", "a=1", "")],
]
REPOSITORIES: Rows = [
    ("https://git.example.com/kittens.git", None),
    ("https://git.example.com/a@b.git", None),
    ("ssh://git@example.com/kittens.git", None),
    ("git@example.com:kittens.git", None),
    ("git://example.com/kittens.git", None),
    ("file:///srv/kittens.git", None),
    ("/srv/kittens.git", None),
    ("../kittens", None),
    # FAULTS 47
    ("--upload-pack=touch /tmp/x", REPOSITORY),
    ("ext::sh -c touch% /tmp/x", REPOSITORY),
    ("fd::17", REPOSITORY),
    ("https://a/\nb", REPOSITORY),
    (" https://a/b", REPOSITORY),
    ("ftp://example.com/a", "use an https, ssh, git or file URL"),
    ("ext://sh", "use an https, ssh, git or file URL"),
    ("https://me:secret@example.com/a", CREDENTIALS),
    ("http://token@example.com/a", CREDENTIALS),
    ("HTTPS://me:secret@example.com/a", CREDENTIALS),
    ("ssh://me:secret@example.com/a", CREDENTIALS),
]
VERSIONS: Rows = [
    ("v1.4.2", None),
    ("main", None),
    ("feature/cats", None),
    ("0123456789abcdef0123456789abcdef01234567", None),
    ("20261121", None),  # a tag that is a date
    ("012345a", "a commit is written in full"),
    ("0123456789abcdef0123456789abcdef0123456", "a commit is written in full"),
    *[
        (name, VERSION)
        for name in ("", "--upload-pack=x", "-v1", "a..b", "a b", "a\n", "a^{}", "HEAD~1", "a:b", "@{u}", "a@{1}")
    ],
]
INDEX = "use an https URL"
INDEXES: Rows = [
    ("https://pypi.example.com/simple/", None),
    ("http://pypi.example.com:8080/simple", None),
    ("https://[2001:db8::1]:8443/simple/", None),
    ("https://pypi.example.com/@scope/simple/", None),
    *[
        (url, CREDENTIALS)
        for url in (
            "https://reader:purrpurr@pypi.example.com/simple/",
            "https://purrpurr@pypi.example.com/simple/",
            "https://reader:purr@purr@pypi.example.com/simple/",
            "https://@pypi.example.com/simple/",
            "https:/reader:purrpurr@pypi.example.com/simple/",  # programs read one slash, and more, as two
            "https:reader:purrpurr@pypi.example.com/simple/",
            "https:///reader:purrpurr@pypi.example.com/simple/",
            "https:\\\\reader:purrpurr@pypi.example.com/simple/",
            "HTTPS://reader:purrpurr@pypi.example.com/simple/",
            "ftp://reader:purrpurr@pypi.example.com/simple/",
            "git+https://reader:purrpurr@pypi.example.com/simple/",
        )
    ],
    ("https://reader:purr/purr@pypi.example.com/simple/", INDEX),
    ("https://reader:purr\\purr", INDEX),
    ("https://pypi.example.com/simple/?token=purrpurr", INDEX),
    ("https://pypi.example.com/simple/#purrpurr", INDEX),
    ("https:///simple/", INDEX),
    ("file:///srv/wheels", INDEX),
]
FIND_LINKS: Rows = [
    *INDEXES,
    ("/srv/wheels", None),
    ("/srv/wheels/", None),
    ("wheels/", None),
    ("//reader:purrpurr@pypi.example.com/", "shortest form"),
    ("/srv/../wheels", "shortest form"),
    ("../wheels", LEAVES),
]

TABLES: list[tuple[Callable[[Any], Optional[str]], Rows]] = [
    (checks.limit_of_memory, LIMITS_OF_MEMORY),
    (checks.limit_of_cpu, LIMITS_OF_CPU),
    (checks.production, PRODUCTIONS),
    (checks.act, ACTS),
    (checks.host_name, HOSTS),
    (checks.host_name, LONG_HOSTS),
    (checks.inner_path, PATHS),
    (lambda path: checks.inner_path(path, directory=True), WRITABLE),
    (checks.directory, DIRECTORIES),
    (checks.url_path, URLS),
    (checks.command_line, COMMANDS),
    (checks.manage, MANAGES),
    (checks.module, MODULES),
    (checks.application, CALLABLES),
    (checks.package, PACKAGES),
    (checks.git_location, REPOSITORIES),
    (checks.git_version, VERSIONS),
    (checks.index_url, INDEXES),
    (checks.find_links, FIND_LINKS),
    (lambda number: checks.between(number, 1, 9), [(0, "from 1 to 9"), (1, None), (9, None), (10, "from 1 to 9")]),
]


def same(said: Optional[str], expected: Optional[str]) -> bool:
    return said is None if expected is None else said is not None and expected in said


@pytest.mark.parametrize(("check", "value", "expected"), [(check, *row) for check, rows in TABLES for row in rows])
def test_value(check: Callable[[Any], Optional[str]], value: Any, expected: Optional[str]) -> None:
    assert same(check(value), expected), check(value)


WHITE = "it ends in white space"
# FAULTS 40
VARIABLES: list[tuple[str, Any, Optional[str]]] = [
    ("A", "", None),
    ("A", "a\nb 'c' \"d\" %e $(f) @(exec://g) ä", None),
    ("A", 1, None),
    ("A", 1.5, None),
    ("A", "x" * 130999, None),
    ("A", "x" * 131000, "longer than 131000 bytes"),
    ("A", "ä" * 65500, "longer than 131000 bytes"),
    ("A", "a\0b", "it holds a NUL byte"),
    *[("A", "a" + end, WHITE) for end in " \t\r\n\v\f"],
    ("A", "\ud800", "it holds half a character"),  # half a pair: no encoding has it
    ("A", True, "this is not text in YAML"),
    ("A", None, "this is not text in YAML"),
    ("A", ["a"], "use a single value"),
    ("A", {"a": 1}, "use a single value"),
    *[
        (name, "a", "use letters, digits and underscores")
        for name in ("", "1A", "A-B", "A=B", "A\n", "Ä", "../A", "A" * 129)
    ],
    ("HOME", "/", "it is the Act's data directory"),
    ("LC_ALL", "C", "it is always C.UTF-8"),
    ("DJANGO_SETTINGS_MODULE", "a", "use 'settings'"),
    ("BACKSTAGE_HOSTS", "a", "may not start with BACKSTAGE_"),
    ("UWSGI_PLUGIN", "a", "may not start with UWSGI_"),
]


@pytest.mark.parametrize(("name", "value", "expected"), VARIABLES)
def test_variable(name: str, value: Any, expected: Optional[str]) -> None:
    assert same(checks.variable(name, value), expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("purrpurr", None), ("purrpur", "shorter than 8"), ("", "shorter than 8"), ("jamsession", "same as a name")],
)
def test_secret(value: str, expected: Optional[str]) -> None:
    said = checks.secret(value, ["jazz", "jamsession"])
    assert same(said, expected)
    assert not value or value not in (said or ""), "a secret's value is never shown"
