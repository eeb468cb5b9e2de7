# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects of several kinds, each rehearsed on both hosts at once. One run finds the lines, and no superfluous one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults.controller import Run
from street import Street

SETTINGS = """
import os
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
ROOT_URLCONF = "site1.urls"
WSGI_APPLICATION = "site1.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BACKSTAGE_DATA"] + "/db"}}
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
WSGI = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
URLS = """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("miaow"))]
"""
PLAIN = {
    "manage.py": MANAGE,
    "requirements.txt": "Django==5.2.15\n",
    "site1/__init__.py": "",
    "site1/settings.py": SETTINGS,
    "site1/urls.py": URLS,
    "site1/wsgi.py": WSGI,
}
# settings are attributes of classes, and manage.py names the class for development
CLASSES = {
    **PLAIN,
    "requirements.txt": "Django==5.2.15\ndjango-configurations==2.5.1\n",
    "manage.py": MANAGE.replace(
        "if __name__", 'os.environ.setdefault("DJANGO_CONFIGURATION", "Dev")\nif __name__'
    ).replace("django.core.management", "configurations.management"),
    "site1/wsgi.py": WSGI.replace("django.core", "configurations").replace(
        "from", 'os.environ.setdefault("DJANGO_CONFIGURATION", "Production")\nfrom', 1
    ),
    "site1/settings.py": "from configurations import Configuration\n\n\nclass Base(Configuration):\n"
    + "".join(f"    {line}\n" for line in SETTINGS.splitlines() if line)
    + "\n\nclass Dev(Base):\n    DEBUG = True\n\n\nclass Production(Base):\n    pass\n",
}
# five variables, an own database back end that is SQLite's, and settings that no file names
VARIABLES = {
    **{name: text for name, text in PLAIN.items() if name != "site1/settings.py"},
    "manage.py": MANAGE.replace('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")', ""),
    "site1/wsgi.py": WSGI.replace('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")', ""),
    "site1/engine/__init__.py": "",
    "site1/engine/base.py": "from django.db.backends.sqlite3.base import *  # noqa: F403\n",
    "site1/settings/__init__.py": "",
    "site1/settings/base.py": SETTINGS.partition("DATABASES")[0]
    + 'BACKENDS = {"django.db.backends.sqlite3": "site1.engine"}\n'
    + "DATABASES = {'default': {'ENGINE': BACKENDS[os.environ['DB_ENGINE']], 'NAME': os.environ['DB_NAME'],\n"
    + "  'USER': os.environ['DB_USER'], 'PASSWORD': os.environ['DB_PASSWORD'], 'HOST': os.environ['DB_HOST'],\n"
    + "  'PORT': os.environ['DB_PORT']}}\n",
    "site1/settings/dev.py": "from .base import *\nDEBUG = True\n",
    "site1/settings/production.py": "from .base import *\n",
}
WORKSPACE = {
    **{f"apps/web/{name}": text for name, text in PLAIN.items() if name != "requirements.txt"},
    "pyproject.toml": "[project]\nname = 'house'\nversion = '0'\nrequires-python = '>=3.11'\ndependencies = []\n"
    "[tool.uv]\npackage = false\n[tool.uv.workspace]\nmembers = ['apps/*', 'libs/*']\n",
    "apps/web/pyproject.toml": "[project]\nname = 'web'\nversion = '0'\nrequires-python = '>=3.11'\n"
    "dependencies = ['Django==5.2.15', 'tunes']\n"
    "[tool.uv]\npackage = false\n[tool.uv.sources]\ntunes = {workspace = true}\n",
    "apps/web/site1/urls.py": URLS.replace('"miaow"', "tunes.TUNE").replace("from", "import tunes\nfrom", 1),
    "libs/tunes/pyproject.toml": "[project]\nname = 'tunes'\nversion = '0.1'\nrequires-python = '>=3.11'\n"
    "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n",
    "libs/tunes/src/tunes/__init__.py": "TUNE = 'a tune'\n",
}
# pyproject.toml has only settings of tools
TOOLS = {
    **{name: text for name, text in PLAIN.items() if name != "requirements.txt"},
    "pyproject.toml": "[tool.ruff]\nline-length = 99\n",
    "requirements/production.txt": PLAIN["requirements.txt"],
    "requirements/dev.txt": "this-package-is-not-wanted==99\n",
}
DATABASE = {
    "database": {"engine": "sqlite"},
    "env": {
        "DB_ENGINE": "django.db.backends.sqlite3",
        "DB_NAME": "{database}",
        "DB_USER": "{database_user}",
        "DB_PASSWORD": "",
        "DB_HOST": "{database_host}",
        "DB_PORT": "{database_port}",
    },
}
APPLICATION = {"application": "site1.wsgi:application"}
KINDS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    # name -> the files, and the lines that the project needs
    "classes": (CLASSES, {"env": {"DJANGO_CONFIGURATION": "Production"}}),
    "variables": (VARIABLES, {"settings": "site1.settings.production", **APPLICATION, **DATABASE}),
    "workspace": (WORKSPACE, {"source": {"path": "{path}", "subdir": "apps/web"}}),
    "tools": (TOOLS, {"requirements": ["requirements/production.txt"]}),
}


def on_both(street: Street, path: Path, **extra: Any) -> list[Run]:
    running = [street.controller(host).start("rehearse", path=str(path), **extra) for host in street.hosts]
    return [run.end() for run in running]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kinds")
    for kind, (files, _lines) in KINDS.items():
        for name, text in files.items():
            path = root / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "lock", "--quiet", "--python", "/usr/bin/python3"], cwd=root / "workspace", check=True)
    return root


@pytest.mark.parametrize("kind", [*KINDS])
def test_a_kind_of_project(street: Street, projects: Path, kind: str) -> None:
    path = projects / kind
    _files, wanted = KINDS[kind]
    wanted = {key: value if key != "source" else {**value, "path": str(path)} for key, value in wanted.items()}
    for run in on_both(street, path):
        assert run.code == 0, run.printed[-3000:]
        act = run.last["manifest"]["backstage_acts"][0]
        secrets = {"SECRET_KEY": f"{{{{ vault_{kind}_secret_key }}}}"}
        assert act == {"source": {"path": str(path)}, **wanted, "secrets": secrets, "name": kind}
        assert (run.last["missing"], run.last["tried"]) == ([], [])
        assert "security.W018" not in run.printed, "DEBUG is off"


LOOK = """
cd /srv/backstage/rehearsal
stat -c '%n %i %W %Y' environments/*
find cache -type f -printf '%p %i %T@\n' | sort
"""


def test_the_second_time_nothing_is_installed(street: Street, projects: Path) -> None:
    """The environments are the same, and so are the files of the package cache. An Act's own environment is removed."""
    before = [host.sh(LOOK) for host in street.hosts]
    own = [host.sh("ls /srv/backstage/rehearsal/kept/*") for host in street.hosts]
    assert all(re.fullmatch(r"[0-9a-f]{16}\n", names) for names in own), "that of the workspace, which has its code"
    for run in on_both(street, projects / "tools") + on_both(street, projects / "workspace"):
        assert run.code == 0, run.printed[-3000:]
    assert [host.sh(LOOK) for host in street.hosts] == before
    assert [host.sh("ls /srv/backstage/rehearsal/kept/*") for host in street.hosts] == own


def test_phases_are_printed_and_nothing_is_kept(street: Street, projects: Path) -> None:
    for run in on_both(street, projects / "tools", keep=False):
        assert run.code == 0, run.printed[-3000:]
        assert re.search(r"^tools: packages: \d+ s$", run.printed, re.MULTILINE), run.printed
        assert "tools: line written: requirements: " in run.printed
        assert "Nothing of this rehearsal is left on" in run.printed
    for host in street.hosts:
        assert not host.ok("[ -e /srv/backstage/rehearsal ] || ls /run/backstage-run.* || id rehearsal__build")
