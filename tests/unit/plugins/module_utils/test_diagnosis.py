# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes and cures: every row by the words that Django, uWSGI, uv and Python really print."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils import diagnosis

TRACEBACK = """Traceback (most recent call last):
  File "/usr/local/lib/backstage/wrapper/backstage_wrapper.py", line 42, in load
    module = importlib.import_module(module_name)
  File "<string>", line 1, in <module>
"""
UV_UNKNOWN = """Using Python 3.11.2 environment at: /srv/backstage/jazz/environments/0123456789abcdef
  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because {0} was not found in the package{1}registry and you
      require {0}, we can conclude that your requirements are unsatisfiable.
"""
UV_VERSION = """Using Python 3.11.2 environment at: /srv/backstage/jazz/environments/0123456789abcdef
  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because there is no version of django==99 and you require django==99, we
      can conclude that your requirements are unsatisfiable.
"""
UV_CONTRADICT = """  \u00d7 No solution found when resolving dependencies:
  \u2570\u2500\u25b6 Because django==5.2.15 depends on asgiref>=3.8.1 and you require
      django==5.2.15, we can conclude that you require asgiref>=3.8.1.
      And because you require asgiref<3, we can conclude that your
      requirements are unsatisfiable.
"""
UV_BUILD = """  \u00d7 Failed to build `docopt==0.6.2`
  \u251c\u2500\u25b6 The build backend returned an error
  \u2570\u2500\u25b6 Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)

      error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory
"""
LONG = "django-polls-tutorial-which-has-a-very-long-name-indeed"

# psycopg 3 without libpq, and no psycopg2
NO_CLIENT = """ImportError: no pq wrapper available.
Attempts made:
- couldn't import psycopg 'c' implementation: No module named 'psycopg_c'
- couldn't import psycopg 'binary' implementation: No module named 'psycopg_binary'
- couldn't import psycopg 'python' implementation: libpq library not found

During handling of the above exception, another exception occurred:

ModuleNotFoundError: No module named 'psycopg2'

During handling of the above exception, another exception occurred:

django.core.exceptions.ImproperlyConfigured: Error loading psycopg2 or psycopg module
"""
SOCKET = (
    "django.db.utils.OperationalError: connection failed: connection to server on socket"
    ' "/var/run/postgresql/.s.PGSQL.5432" failed: '
)
REFUSED = 'django.db.utils.OperationalError: connection to server at "127.0.0.1", port 5432 failed: '
CLIENT = (
    "the Python client of PostgreSQL is missing: add psycopg[binary] to the requirements (before Django 4.2"
    " psycopg2-binary)"
)
NO_DATABASE = (
    "the settings have no database: write 'database' in the manifest, which exports DATABASE_URL, or give DATABASE_URL"
    " in 'secrets'"
)
UNKNOWN = (
    "PostgreSQL has no role or database '{}': correct DATABASE_URL or DATABASES, and ask no database while a release"
    " is built"
)
SILENT = "the database does not answer: start it, or correct where DATABASE_URL or DATABASES says it is"

# row -> a real text and the sentence made of it
TEXTS: list[tuple[str, str, str]] = [
    (
        "host not allowed",
        "DisallowedHost: Invalid HTTP_HOST header: 'a.example'. You may need to add 'a.example' to ALLOWED_HOSTS.",
        "the Act does not accept the host a.example: add it to ALLOWED_HOSTS (it is in BACKSTAGE_HOSTS)",
    ),
    (
        "settings module not found",
        TRACEBACK + "ModuleNotFoundError: No module named 'kittens.settings'\n",
        "there is no settings module 'kittens.settings': set 'settings', 'chdir' or the source's 'subdir'",
    ),
    (
        "missing module",
        TRACEBACK + "ModuleNotFoundError: No module named 'PIL'\n",
        "the module 'PIL' is missing: add its package to the requirements",
    ),
    (
        "missing environment variable",
        TRACEBACK + "KeyError: 'KITTENS_THEME'\n",
        "the environment variable KITTENS_THEME is missing: add it to 'env' or 'secrets'",
    ),
    (
        "SECRET_KEY empty",
        "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.",
        "SECRET_KEY is empty: add it to 'secrets' and have the settings read it",
    ),
    (
        "STATIC_ROOT unset",
        "ImproperlyConfigured: You're using the staticfiles app without having set the STATIC_ROOT setting to a"
        " filesystem path.",
        "STATIC_ROOT is not set: set it to os.environ['BACKSTAGE_STATIC_ROOT'], or say 'static: none'",
    ),
    (
        "root outside",
        "MEDIA_ROOT is outside: /var/www/media",
        "MEDIA_ROOT is /var/www/media, where nginx can't serve it: set it to os.environ['BACKSTAGE_MEDIA_ROOT'],"
        " or to a directory of the code",
    ),
    (
        "read-only database",
        "django.db.utils.OperationalError: attempt to write a readonly database",
        "the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    (
        "read-only database",
        "django.db.utils.OperationalError: unable to open database file",
        "the database file can't be written: name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    (
        "read-only file",
        "PermissionError: [Errno 13] Permission denied: '/srv/backstage/jazz/acts/kittens/releases/0/code/k.log'",
        "the Act may not write '/srv/backstage/jazz/acts/kittens/releases/0/code/k.log':"
        " name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    (
        "read-only file",
        "OSError: [Errno 30] Read-only file system: '/opt/k.log'",
        "the Act may not write '/opt/k.log': name it in 'writable', or put it into BACKSTAGE_DATA",
    ),
    (
        "unknown option",
        "[uWSGI] getting INI configuration from a.ini\n[strict-mode] unknown config directive: procesess\n",
        "uWSGI refuses the option procesess",
    ),
    (
        "unknown option",
        "/usr/bin/uwsgi-core: unrecognized option '--procesess'\ngetopt_long() error\n",
        "uWSGI refuses the option --procesess",
    ),
    (
        "static files unbuilt",
        "ValueError: Missing staticfiles manifest entry for 'club/club.css'",
        "the static file 'club/club.css' is not in the manifest of the static files:"
        " is it in STATICFILES_DIRS or an app?",
    ),
    (
        "requirement unknown",
        UV_UNKNOWN.format("djangoo", " "),
        "the package 'djangoo' is not in the index: correct the requirements",
    ),
    (
        "requirement unknown",
        UV_UNKNOWN.format("djangoo-polls-tutorial", "\n      "),
        "the package 'djangoo-polls-tutorial' is not in the index: correct the requirements",
    ),
    (
        "requirement unknown",
        UV_UNKNOWN.format(f"\n      {LONG}\n     ", " "),
        f"the package '{LONG}' is not in the index: correct the requirements",
    ),
    (
        "requirement unresolvable",
        UV_VERSION,
        "the requirements contradict each other or name a version that is not in the index",
    ),
    (
        "requirement unresolvable",
        UV_CONTRADICT,
        "the requirements contradict each other or name a version that is not in the index",
    ),
    (
        "disk full",
        "error: failed to write to file `/srv/x`: No space left on device (os error 28)",
        "the disk is full: make room and run again",
    ),
    ("disk full", "OSError: [Errno 28] No space left on device", "the disk is full: make room and run again"),
    (
        "table missing",
        "django.db.utils.OperationalError: no such table: club_song",
        "the database has no table 'club_song': has 'migrate' run on the database that the Act uses?",
    ),
    (
        "table missing",
        'django.db.utils.ProgrammingError: relation "club_song" does not exist\nLINE 1: SELECT "club_song"."id"',
        "the database has no table 'club_song': has 'migrate' run on the database that the Act uses?",
    ),
    ("PostgreSQL client missing", NO_CLIENT, CLIENT),
    (
        "PostgreSQL client missing",
        "ImproperlyConfigured: Error loading psycopg2 module: No module named 'psycopg2'",
        CLIENT,
    ),
    ("DATABASE_URL missing", TRACEBACK + "KeyError: 'DATABASE_URL'\n", NO_DATABASE),
    ("DATABASE_URL missing", "ImproperlyConfigured: Set the DATABASE_URL environment variable", NO_DATABASE),
    (
        "DATABASE_URL missing",
        "django.core.exceptions.ImproperlyConfigured: settings.DATABASES is improperly configured. Please supply the"
        " ENGINE value. Check settings documentation for more details.",
        NO_DATABASE,
    ),
    (
        "another database",
        "DATABASES has sqlite '/srv/x/db.sqlite3' as its default, and not postgresql 'jazz-kittens'",
        "the settings' default database is sqlite '/srv/x/db.sqlite3', not the manifest's postgresql: have DATABASES"
        " read DATABASE_URL, or leave 'database' out",
    ),
    (
        "wrong password",
        REFUSED + 'FATAL:  password authentication failed for user "ada"',
        "the database refuses the password of 'ada': correct it in 'secrets'",
    ),
    (
        "wrong password",
        """(1045, "Access denied for user 'ada'@'localhost' (using password: YES)")""",
        "the database refuses the password of 'ada': correct it in 'secrets'",
    ),
    (
        "password missing",
        REFUSED + "fe_sendauth: no password supplied",
        "the database asks for a password: give DATABASE_URL with one in 'secrets', or leave host and user out, to"
        " come by the socket",
    ),
    (
        "another user of the database",
        SOCKET + 'FATAL:  Peer authentication failed for user "ada"',
        "the Act is not the user 'ada' for the database: leave the user out, or give a host and a password",
    ),
    ("database unknown", SOCKET + 'FATAL:  role "jazz_kittens" does not exist', UNKNOWN.format("jazz_kittens")),
    ("database unknown", REFUSED + 'FATAL:  database "nope" does not exist', UNKNOWN.format("nope")),
    (
        "database of others",
        SOCKET + 'FATAL:  permission denied for database "jazz-dogs"\nDETAIL:  User does not have CONNECT privilege.',
        "the Act may not connect to the database 'jazz-dogs': its own is in DATABASE_URL",
    ),
    ("unreachable database", SOCKET + "No such file or directory\n\tIs the server running locally?", SILENT),
    ("unreachable database", REFUSED + "Connection refused\n\tIs the server running on that host?", SILENT),
    ("unreachable database", SOCKET + "FATAL:  the database system is starting up", SILENT),
    ("unreachable database", "consuming input failed: server closed the connection unexpectedly", SILENT),
    ("unreachable database", "AdminShutdown: terminating connection due to administrator command", SILENT),
    (
        "unreachable database",
        "failed to resolve host 'db.example.invalid': [Errno -2] Name or service not known",
        SILENT,
    ),
    ("unreachable database", 'could not translate host name "db.x" to address: Name or service not known', SILENT),
    ("unreachable database", "(2002, \"Can't connect to local MySQL server through socket '/run/x' (2)\")", SILENT),
    (
        "another migrate",
        "TimeoutError: another migrate of this database has not ended within 600 s",
        "another migrate of this database has not ended within 600 s: wait for it, or end it (pg_stat_activity names"
        " it), and run again",
    ),
]
# where a part of the sentence is what matters
PARTS: list[tuple[str, str, str]] = [
    ("build from source failed", UV_BUILD, "the package 'docopt==0.6.2' has no wheel for this Python, and building it"),
    (
        "wrong callable",
        TRACEBACK + "backstage_wrapper.WrapperError: kittens.wsgi has no 'app': the manifest's application names it\n",
        "kittens.wsgi has no 'app'",
    ),
    (
        "wrong callable",
        TRACEBACK + "backstage_wrapper.WrapperError: kittens.asgi:application is an ASGI application, and a uwsgi"
        " Stage plays WSGI: name the WSGI one, usually in wsgi.py\n",
        "kittens.asgi:application is an ASGI application",
    ),
]


@pytest.mark.parametrize(("row", "text", "sentence"), TEXTS, ids=[text[0] for text in TEXTS])
def test_row(row: str, text: str, sentence: str) -> None:
    assert row in {known.name for known in diagnosis.ROWS}
    assert diagnosis.find(text) == sentence


@pytest.mark.parametrize(("row", "text", "part"), PARTS, ids=[text[0] for text in PARTS])
def test_row_by_a_part(row: str, text: str, part: str) -> None:
    assert row in {known.name for known in diagnosis.ROWS}
    assert part in diagnosis.find(text)


def test_every_row_has_a_real_text() -> None:
    assert {known.name for known in diagnosis.ROWS} == {row for row, _text, _said in TEXTS + PARTS}
    names = [known.name for known in diagnosis.ROWS]
    assert len(set(names)) == len(names)


def test_a_sentence_never_has_a_hole() -> None:
    """uWSGI says this of a request where its Python plugin is missing: no option is named, and none is wrong."""
    assert "?" not in diagnosis.find("-- unavailable modifier requested: 0 --")


@pytest.mark.parametrize("text", ["", "all is well", "KeyError: 'pk'", "KeyError: 0", "Django version 5.2.15"])
def test_unknown(text: str) -> None:
    assert diagnosis.find(text) == ""


EXPLAINED = [
    # (step, error, log, sentence): the error counts more than the log, and both more than nothing
    ("check", "KeyError: 'A'", "KeyError: 'B'", "the environment variable A is missing: add it to 'env' or 'secrets'"),
    ("check", "ValueError: x", "KeyError: 'B'", "the environment variable B is missing: add it to 'env' or 'secrets'"),
    ("check", "ValueError: one\ntwo", "", "check failed: ValueError: one"),
    ("check", "", "", "check failed: no message"),
]


@pytest.mark.parametrize(("step", "error", "log", "sentence"), EXPLAINED)
def test_explain(step: str, error: str, log: str, sentence: str) -> None:
    assert diagnosis.explain(step, error, log) == sentence


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
    assert diagnosis.answer(status, "/up/", "a.example", log) == sentence


@pytest.mark.parametrize(
    ("text", "end"), [("", ""), ("\n\na\n\n", "a"), ("a\nb\nc\nd\n", "b\nc\nd"), ("  a\n b", "a\n b")]
)
def test_tail(text: str, end: str) -> None:
    assert diagnosis.tail(text, 3) == end


def test_tail_is_short_enough_to_read() -> None:
    assert len(diagnosis.tail("line\n" * 1000).splitlines()) == diagnosis.LINES <= 30
