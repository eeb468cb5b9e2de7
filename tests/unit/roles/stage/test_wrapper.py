# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vassal's module, each case in a process of its own with a Django project that the test writes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

pytest.importorskip("django")

FILES = Path(__file__).parents[4] / "roles" / "stage" / "files"

SETTINGS = """
SECRET_KEY = "not a secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "band.urls"
STATIC_URL = "static/"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
"""
URLS = """
from django.http import HttpResponse
from django.urls import include, path

def play(request):
    return HttpResponse("swing")

def stumble(request, how=""):
    raise RuntimeError("the drummer fell off")

urlpatterns = [path("", play), path("stumble", stumble), path("more/", include("band.more"))]
urlpatterns += [path("stumble/<str:how>", stumble)]
"""
PROJECT = {
    "band/__init__.py": "",
    "band/settings.py": SETTINGS,
    "band/urls.py": URLS,
    "band/more.py": "urlpatterns = []\n",
    "band/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
    "band/asgi.py": "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n",
    "band/odd.py": "application = 'a trombone'\nasync def solo(scope, receive, send): pass\n",
}
UWSGI = "import sys, types; sys.modules['uwsgi'] = types.SimpleNamespace(numproc=1, worker_id=lambda: 1)\n"
LOADED = "import backstage_wrapper; print('loaded')"
REQUEST = """
import backstage_wrapper
from wsgiref.util import setup_testing_defaults
environ = {"PATH_INFO": "/stumble"}
setup_testing_defaults(environ)
print(backstage_wrapper.application(environ, lambda status, headers: print(status)))
"""

Play = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(name="play")
def fixture_play(tmp_path: Path) -> Play:
    """Write the project with the given changes, then run code beside it as uWSGI would: in a clean environment."""

    def play(
        code: str = LOADED, environ: dict[str, str] | None = None, **files: str
    ) -> subprocess.CompletedProcess[str]:
        changes = {f"band/{name}.py": text for name, text in files.items()}
        for name, text in {**PROJECT, **changes}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        variables = {
            "DJANGO_SETTINGS_MODULE": "band.settings",
            "BACKSTAGE_APPLICATION": "band.wsgi:application",
            "PYTHONPATH": os.pathsep.join([str(FILES), str(tmp_path), *sys.path]),
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environ or {}),
        }
        argv = [sys.executable, "-c", UWSGI + code]
        return subprocess.run(argv, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)

    return play


def test_application_answers(play: Play) -> None:
    """What uWSGI finds in the module answers as the Act's own callable does."""
    done = play(REQUEST.replace("/stumble", "/"))
    assert done.stdout.splitlines()[0] == "200 OK", done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "BACKSTAGE_APPLICATION is '': write it as \"package.module:callable\""),
        ("band.wsgi", "BACKSTAGE_APPLICATION is 'band.wsgi': write it as \"package.module:callable\""),
        ("band.missing:application", "No module named 'band.missing'"),
        ("band.wsgi:app", "band.wsgi has no 'app': the manifest's application names it"),
        ("band.odd:application", "band.odd:application is a str and can't be called: name the WSGI application"),
        ("band.odd:solo", "band.odd:solo is an ASGI application, and this Stage plays WSGI"),
        ("band.asgi:application", "band.asgi:application is an ASGI application, and this Stage plays WSGI"),
    ],
)
def test_wrong_callable_is_named(play: Play, name: str, message: str) -> None:
    """The last line of the error says what is wrong with the application that the manifest names."""
    done = play(environ={"BACKSTAGE_APPLICATION": name})
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"settings": "import brass\n"}, "No module named 'brass'"),
        ({"urls": "import brass\n"}, "No module named 'brass'"),
        ({"more": "import brass\n"}, "No module named 'brass'"),
        ({"urls": "pass\n"}, "band.urls"),
        ({"settings": SETTINGS + 'TEMPLATES[0]["OPTIONS"] = {"builtins": ["brass"]}\n'}, "brass"),
        ({"settings": SETTINGS + 'TEMPLATES[0]["BACKEND"] = "brass.Templates"\n'}, "brass"),
    ],
)
def test_mistakes_end_the_start(play: Play, files: dict[str, str], message: str) -> None:
    """What the first visitor would have met ends the start instead."""
    done = play(**files)
    assert done.returncode != 0
    assert message in done.stderr


def test_a_lazy_mistake_needs_the_wrapper(play: Play) -> None:
    """The control: Django by itself starts with a broken URLconf."""
    assert play("import band.wsgi; print('loaded')", more="import brass\n").stdout == "loaded\n"


@pytest.mark.parametrize(
    ("prefix", "url"),
    [("", "/static/"), ("/blog", "/blog/static/"), ("/blog/", "/blog/static/"), ("/a/b", "/a/b/static/")],
)
def test_prefix_comes_before_static_url(play: Play, prefix: str, url: str) -> None:
    """A project that reads STATIC_URL while it is imported gets it with the prefix."""
    urls = URLS + "from django.conf import settings\nprint(settings.STATIC_URL)\n"
    assert play(environ={"BACKSTAGE_PREFIX": prefix}, urls=urls).stdout.splitlines()[0] == url
    # Django's own setup forgets the prefix
    wsgi = "import django\ndjango.setup()\n" + PROJECT["band/wsgi.py"]
    assert play(environ={"BACKSTAGE_PREFIX": prefix}, urls=urls, wsgi=wsgi).stdout.splitlines()[0] == url


MOVING = """
import backstage_wrapper
from django.conf import settings
from wsgiref.util import setup_testing_defaults
environ = {"PATH_INFO": "/", "SCRIPT_NAME": "/old"}
setup_testing_defaults(environ)
backstage_wrapper.application(environ, lambda status, headers: None)
print(settings.STATIC_URL, settings.MEDIA_URL)
"""


@pytest.mark.parametrize(("prefix", "urls"), [("/new", "/new/static/ /new/up/"), ("", "/static/ /up/")])
def test_static_url_is_not_that_of_the_first_visitor(play: Play, prefix: str, urls: str) -> None:
    """While an Act moves to another path, nginx still passes what is below the old one."""
    done = play(MOVING, environ={"BACKSTAGE_PREFIX": prefix}, settings=SETTINGS + 'MEDIA_URL = "up/"\n')
    assert done.stdout.strip() == urls, done.stderr


CONSOLE = '"version": 1, "handlers": {"to": {"class": "logging.StreamHandler"}}'
MAIL = '"version": 1, "handlers": {"to": {"class": "django.utils.log.AdminEmailHandler"}}'
NOWHERE = '"version": 1, "handlers": {"to": {"class": "logging.NullHandler"}}'


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "DEBUG = True",
        "LOGGING_CONFIG = None",
        f'LOGGING = {{{CONSOLE}, "root": {{"handlers": ["to"]}}}}',
        f'LOGGING = {{{CONSOLE}, "loggers": {{"django": {{"handlers": ["to"], "level": "CRITICAL"}}}}}}',
        f'LOGGING = {{{CONSOLE}, "loggers": {{"django.request": {{"handlers": ["to"], "propagate": False}}}}}}',
        f'LOGGING = {{{MAIL}, "loggers": {{"django": {{"handlers": ["to"]}}}}}}',
        f'LOGGING = {{{NOWHERE}, "loggers": {{"django": {{"handlers": ["to"]}}}}}}',
    ],
)
def test_a_traceback_is_printed_once(play: Play, settings: str) -> None:
    """A failing request leaves its traceback in the log: once, whatever the project's LOGGING says of it."""
    done = play(REQUEST, settings=f"{SETTINGS}\n{settings}\n")
    assert done.stdout.startswith("500"), done.stderr
    assert done.stderr.count("Traceback (most recent call last)") == 1
    assert done.stderr.count("RuntimeError: the drummer fell off") == 1


def test_a_printed_traceback_says_when_and_where(play: Play) -> None:
    """A line as uWSGI's own begin, which a visitor can't write another one into."""
    done = play(REQUEST.replace("/stumble", r"/stumble/at\n2000-01-01 - all is well"), settings=SETTINGS)
    first = done.stderr.splitlines()[0]
    told = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} - GET '/stumble/at\\n2000-01-01 - all is well' failed"
    assert re.fullmatch(told, first), done.stderr


def test_connections_are_closed_and_objects_frozen(play: Play) -> None:
    """Workers share neither a database connection nor work for the collector."""
    database = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}\n'
    urls = URLS + "from django.db import connection\nconnection.ensure_connection()\n"
    code = (
        "import backstage_wrapper, gc\n"
        "from django.db import connections\n"
        "print([each.connection for each in connections.all(initialized_only=True)], gc.get_freeze_count() > 1000)\n"
    )
    done = play(code, settings=SETTINGS + database.replace(":memory:", "band.sqlite3"), urls=urls)
    assert done.stdout == "[None] True\n", done.stderr


POOLED = """
from django.db.backends.sqlite3 import base

class DatabaseWrapper(base.DatabaseWrapper):
    pools = {}

    def get_connection_params(self):
        return {key: value for key, value in super().get_connection_params().items() if key != "pool"}

    def get_new_connection(self, params):
        self.pools[self.alias] = "open"
        return super().get_new_connection(params)

    def close_pool(self):
        self.pools[self.alias] = "closed"
"""


@pytest.mark.parametrize("opens", ["ensure()", "threading.Thread(target=ensure).start()"])
def test_pools_are_closed(play: Play, opens: str) -> None:
    """A connection that is closed goes back into its pool, open: two workers would read each other's rows from it."""
    one = '{"ENGINE": "band.pooled", "NAME": "band.sqlite3", "OPTIONS": {"pool": True}}'
    settings = f'{SETTINGS}DATABASES = {{"default": {one}, "other": {one}}}\n'
    urls = (
        f"{URLS}import threading\nfrom django.db import connections\n"
        f'def ensure():\n    connections["other"].ensure_connection()\n{opens}\n'
    )
    code = "import backstage_wrapper\nfrom band.pooled.base import DatabaseWrapper\nprint(DatabaseWrapper.pools)\n"
    done = play(code, settings=settings, urls=urls, **{"pooled/__init__": "", "pooled/base": POOLED})
    assert done.stdout == "{'other': 'closed', 'default': 'closed'}\n", done.stderr


def test_threads_that_the_fork_ends_are_named(play: Play) -> None:
    urls = URLS + (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), name='tick\\ntock', daemon=True).start()\n"
        "over = threading.Thread(target=print, name='over')\n"
        "over.start()\n"
        "over.join()\n"
    )
    done = play(urls=urls)
    (line,) = done.stderr.splitlines()
    said = (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} - backstage: the thread 'tick\\ntock' was started while the Act was"
        " loaded, and does not live in the workers: start it with the first request, or as a process of its own"
    )
    assert re.fullmatch(said, line), done.stderr
    assert play().stderr == ""


def test_an_act_does_not_see_the_token(play: Play) -> None:
    """It is in no traceback that shows the environment."""
    urls = URLS + "import os\nprint('BACKSTAGE_TOKEN' in os.environ)\n"
    done = play("import backstage_wrapper", environ={"BACKSTAGE_TOKEN": "t" * 32}, urls=urls)
    assert done.stdout == "False\n", done.stderr


def test_nothing_happens_without_an_act() -> None:
    """A tool that imports the file, as this test might, starts no Act; uWSGI without its variable is told so."""
    environ = {"PYTHONPATH": str(FILES), "PYTHONDONTWRITEBYTECODE": "1"}
    quiet = subprocess.run([sys.executable, "-c", "import backstage_wrapper"], env=environ, check=False)
    assert quiet.returncode == 0
    code = "import sys; sys.modules['uwsgi'] = sys; import backstage_wrapper"
    told = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert "BACKSTAGE_APPLICATION is ''" in told.stderr
