# SPDX-License-Identifier: GPL-3.0-or-later
"""Small real Django projects, written for a test: a settings module, an app with a model and migrations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import steps
from ansible_collections.backstage.django.plugins.module_utils.host import process
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError

DAEMON = process.User("daemon", 1, 1, [1])
Text = Optional[str]

MANAGE = """
import os, sys
from django.core.management import execute_from_command_line
if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kittens.settings")
    execute_from_command_line(sys.argv)
"""
SETTINGS = """
import os
from pathlib import Path
BASE = Path(__file__).resolve().parent.parent
SECRET_KEY = "unimportant"
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "kittens.urls"
WSGI_APPLICATION = "kittens.wsgi.application"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.staticfiles", "cats"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BACKSTAGE_DATA"] + "/db.sqlite3"}}
STATIC_URL = "static/"
STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]
"""
MODELS = """
from django.db import models
class Cat(models.Model):
    name = models.CharField(max_length=9)
"""
FIRST = """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = []
    operations = [migrations.CreateModel("Cat", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("name", models.CharField(max_length=9))])]
"""
BROKEN = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("cats", "{before}")]
    operations = [migrations.RunSQL("ALTER TABLE nonesuch ADD COLUMN x")]
"""
EMPTY = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("cats", "{before}")]
    operations = []
"""
FILES = {
    "manage.py": MANAGE,
    "kittens/__init__.py": "",
    "kittens/__main__.py": MANAGE,
    "kittens/settings.py": SETTINGS,
    "kittens/urls.py": "urlpatterns = []\n",
    "kittens/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
    "cats/__init__.py": "",
    "cats/models.py": MODELS,
    "cats/migrations/__init__.py": "",
    "cats/migrations/0001_initial.py": FIRST,
    "cats/static/cats/cat.css": "cat {}\n",
}


def write(root: Path, owner: int = 0, **texts: Text) -> Path:
    """A project; other texts by name, with two underscores for the dot and three for a slash (None: left out)."""
    named = {name.replace("___", "/").replace("__", "."): text for name, text in texts.items()}
    for name, text in {**FILES, **named}.items():
        if text is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for path in [root, *root.rglob("*")]:
        os.chown(path, owner, owner)
    return root


def settings(more: str = "", without: str = "") -> str:
    """The settings with more lines at their end, and without the line that begins so."""
    lines = [line for line in SETTINGS.splitlines() if not (without and line.startswith(without))]
    return "\n".join([*lines, more, ""])


class Project:
    """A project in a place of daemon's, with the environment variables of its world."""

    def __init__(self, place: Path, django: Path, **texts: Text) -> None:
        self.code = write(place / "code", 1, **texts)
        self.django = django
        self.env = {"HOME": str(place / "data")}
        for name in ("static", "media", "data"):
            (place / name).mkdir()
            os.chown(place / name, 1, 1)
            variable = f"BACKSTAGE_{name.upper()}" + ("" if name == "data" else "_ROOT")
            self.env[variable] = str(place / name)

    def run(self, mode: str, **more: Any) -> dict[str, Any]:
        own = {name: self.env[f"BACKSTAGE_{name}"] for name in ("STATIC_ROOT", "MEDIA_ROOT")}
        options = {
            "manage": "manage.py",
            "static": "auto",
            "after_static": [],
            "code": str(self.code),
            "own": own,
            "database": None,
            "patience": 9,
            "given": [],
            "shared": False,
            "within": "",
            **more,
        }
        streams = {name: options.pop(name) for name in ("into", "lent") if name in options}
        python = str(self.django / "bin" / "python")
        return steps.run(mode, options, python, DAEMON, self.env, str(self.code), **streams)

    def failure(self, mode: str, **more: Any) -> BackstageError:
        with pytest.raises(BackstageError) as failure:
            self.run(mode, **more)
        return failure.value


Make = Callable[..., Project]
