# SPDX-License-Identifier: GPL-3.0-or-later
"""The projects of corpus.yml: each function makes the one thing odd that its name says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

UV = str(Path(sys.executable).with_name("uv"))
BASE = Path(__file__).with_name("base")
SETTINGS, VIEWS, URLS, PAGE = "club/settings.py", "club/views.py", "club/urls.py", "club/templates/club/page.html"
DATA = 'Path(os.environ["BACKSTAGE_DATA"])'
STATIC_ROOT = 'STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]\n'
DEFAULT_SETTINGS = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "club.settings")\n'
MANIFEST_STORAGE = """
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
"""
PROJECT = """
[project]
name = "club"
version = "1.0"
description = "A club"
requires-python = ">=3.11"
dependencies = ["Django==5.2.15"]
"""
BUILD_SYSTEM = """
[build-system]
requires = ["flit_core>=3.12,<4"]
build-backend = "flit_core.buildapi"
"""


@dataclass(frozen=True)
class Bed:
    """What the test bed has for the making of projects.

    Args:
        index: the URL of its package index.
        certificate: of the authority that signed for it.
        wheels: the directories with the files of the index.
    """

    index: str
    certificate: Path
    wheels: tuple[Path, ...]

    def uv(self, cwd: Path, *words: str) -> None:
        """Run uv against the test index only."""
        env = {
            **os.environ,
            "UV_NO_CONFIG": "1",
            "UV_DEFAULT_INDEX": self.index,
            "SSL_CERT_FILE": str(self.certificate),
        }
        python = ["--python", "/usr/bin/python3"]
        subprocess.run([UV, *words, "--quiet", *python], cwd=cwd, env=env, check=True)


class Project:
    """A copy of the base, to be changed."""

    def __init__(self, root: Path, bed: Bed) -> None:
        self.root = root
        self.bed = bed

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text), encoding="utf-8")

    def append(self, path: str, text: str) -> None:
        self.write(path, self.read(path) + dedent(text))

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        if old not in text:
            raise ValueError(f"{path} has no {old!r}")
        self.write(path, text.replace(old, new))

    def remove(self, *paths: str) -> None:
        for path in paths:
            (self.root / path).unlink()

    def move(self, old: str, new: str) -> None:
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)

    def require(self, *lines: str) -> None:
        """Ask for more packages, and import them where the pages are."""
        self.append("requirements.txt", "".join(f"{line}\n" for line in lines))


Maker = Callable[[Project], None]
MAKERS: dict[str, Maker] = {}


def maker(function: Maker) -> Maker:
    MAKERS[function.__name__.replace("_", "-")] = function
    return function


def make(name: str, root: Path, bed: Bed) -> None:
    """Make one project in a directory that is not there yet."""
    shutil.copytree(BASE, root, ignore=shutil.ignore_patterns("__pycache__"))
    project = Project(root, bed)
    project.replace(SETTINGS, '"plain"', f'"{name}"')
    MAKERS[name](project)


# --- requirements -----------------------------------------------------------------------------------------------------
@maker
def plain(_project: Project) -> None:
    """Nothing is odd."""


@maker
def src_layout(project: Project) -> None:
    project.move("club", "src/club")
    project.write("pyproject.toml", PROJECT + BUILD_SYSTEM)
    project.write("requirements.txt", "-e .\n")


@maker
def pyproject_only(project: Project) -> None:
    project.write("pyproject.toml", PROJECT)
    project.remove("requirements.txt")


@maker
def uv_lock(project: Project) -> None:
    pyproject_only(project)
    project.bed.uv(project.root, "lock")


@maker
def pylock(project: Project) -> None:
    pyproject_only(project)
    project.bed.uv(project.root, "pip", "compile", "pyproject.toml", "--format=pylock.toml", "-o", "pylock.toml")


@maker
def monorepo(project: Project) -> None:
    for path in sorted(project.root.iterdir()):
        project.move(path.name, f"site/{path.name}")
    project.write("requirements/common.txt", "Django\n")
    project.write("constraints.txt", "Django==5.2.15\n")
    project.write("site/requirements.txt", "-r ../requirements/common.txt\n-c ../constraints.txt\n")
    project.write("shop/README", "Another project of the same repository.\n")


@maker
def several_files(project: Project) -> None:
    project.move("requirements.txt", "requirements/base.txt")
    project.write("requirements/production.txt", "garage-riff==1.0\n")
    project.append(URLS, "import garage_riff  # noqa\n")


@maker
def hashes(project: Project) -> None:
    project.move("requirements.txt", "requirements.in")
    compiled = ["--generate-hashes", "--no-header", "-o", "requirements.txt"]
    project.bed.uv(project.root, "pip", "compile", "requirements.in", *compiled)


@maker
def local_package(project: Project) -> None:
    project.write("vendor/tune/pyproject.toml", PROJECT.replace("club", "tune") + BUILD_SYSTEM)
    project.write("vendor/tune/tune.py", '"""A tune."""\n')
    project.require("./vendor/tune")
    project.append(URLS, "import tune  # noqa\n")


@maker
def sdist_only(project: Project) -> None:
    project.require("garage-riff==1.0")
    project.append(URLS, "import garage_riff  # noqa\n")


@maker
def c_extension(project: Project) -> None:
    project.require("garage-drums==1.0")
    project.append(URLS, "import garage_drums\n\nassert garage_drums.beat() == 4\n")


@maker
def private_index(project: Project) -> None:
    project.require("garage-solo==1.0")
    project.append(URLS, "import garage_solo  # noqa\n")


@maker
def wheelhouse(project: Project) -> None:
    project.require("garage-encore==1.0")
    project.append(URLS, "import garage_encore  # noqa\n")
    (project.root / "wheels").mkdir()
    for name in ("django-5.2.15", "asgiref", "sqlparse", "garage_encore"):
        found = [path for folder in project.bed.wheels for path in folder.glob(f"{name}-*.whl")]
        shutil.copy(found[0], project.root / "wheels")


# --- settings ---------------------------------------------------------------------------------------------------------
@maker
def environment_variable(project: Project) -> None:
    project.append(SETTINGS, '\nCLUB_THEME = os.environ["CLUB_THEME"]\n')


@maker
def secret_key(project: Project) -> None:
    project.replace(SETTINGS, ' or "not-a-secret"', ' or ""')
    project.replace(VIEWS, "    return render(", '    signing.dumps("encore")\n    return render(')
    project.replace(VIEWS, "from django.http", "from django.core import signing\nfrom django.http")


@maker
def database_url(project: Project) -> None:
    project.require("dj-database-url")
    project.append(
        SETTINGS,
        """
        import dj_database_url

        DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
        """,
    )


@maker
def no_default_settings(project: Project) -> None:
    project.replace("manage.py", "    " + DEFAULT_SETTINGS, "")
    project.replace("club/wsgi.py", DEFAULT_SETTINGS, "")


@maker
def settings_package(project: Project) -> None:
    project.replace(SETTINGS, "parent.parent", "parent.parent.parent")
    project.move(SETTINGS, "club/settings/base.py")
    project.write("club/settings/__init__.py", "")
    project.write("club/settings/production.py", "from .base import *\n")
    project.write(
        "club/settings/development.py",
        """
        from .base import *
        import debug_toolbar

        DEBUG = True
        INSTALLED_APPS += ["debug_toolbar"]
        """,
    )
    project.replace("manage.py", "club.settings", "club.settings.development")
    project.replace("club/wsgi.py", "club.settings", "club.settings.production")


@maker
def allowed_hosts(project: Project) -> None:
    project.replace(SETTINGS, 'os.environ["BACKSTAGE_HOSTS"].split(",")', '["www.club.example"]')


@maker
def https_only(project: Project) -> None:
    project.append(SETTINGS, 'MIDDLEWARE += ["django.middleware.security.SecurityMiddleware"]\n')
    project.append(SETTINGS, "SECURE_SSL_REDIRECT = True\nCSRF_COOKIE_SECURE = True\n")


@maker
def behind_a_proxy(project: Project) -> None:
    project.append(SETTINGS, "USE_X_FORWARDED_HOST = True\n")


@maker
def static_root_unset(project: Project) -> None:
    project.replace(SETTINGS, STATIC_ROOT, "")


@maker
def static_root_outside(project: Project) -> None:
    project.replace(SETTINGS, STATIC_ROOT, 'STATIC_ROOT = "/var/www/club"\n')


@maker
def static_shipped(project: Project) -> None:
    project.require("whitenoise")
    project.replace(SETTINGS, STATIC_ROOT, 'STATIC_ROOT = BASE_DIR / "built"\nWHITENOISE_ROOT = BASE_DIR / "public"\n')
    project.replace(SETTINGS, "MIDDLEWARE = [", 'MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware", ')
    project.append(SETTINGS, MANIFEST_STORAGE)
    project.write("built/club/club.0f3e.css", project.read("club/static/club/club.css"))
    paths = '{"club/club.css": "club/club.0f3e.css"}'
    project.write("built/staticfiles.json", f'{{"version": "1.1", "paths": {paths}, "hash": "0f3e"}}\n')
    project.write("public/robots.txt", "User-agent: *\n")
    project.append("club/static/club/club.css", "body { background: url(no-such-picture.svg) }\n")


@maker
def build_command(project: Project) -> None:
    project.append(SETTINGS, MANIFEST_STORAGE)
    project.append(PAGE, "<script src=\"{% static 'club/club.js' %}\"></script>\n")
    project.write("frontend/club.ts", 'const greet = (name: string): void => console.log(name);\ngreet("club");\n')


# --- files ------------------------------------------------------------------------------------------------------------
@maker
def database_in_code(project: Project) -> None:
    project.replace(SETTINGS, DATA, "BASE_DIR")


@maker
def database_directory(project: Project) -> None:
    project.replace(SETTINGS, DATA, 'BASE_DIR / "db"')


@maker
def laptop_database(project: Project) -> None:
    project.replace(SETTINGS, DATA, "BASE_DIR")
    given = {"BACKSTAGE_HOSTS": "localhost", "BACKSTAGE_STATIC_ROOT": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=project.root,
        env={**os.environ, **given},
        check=True,
    )


@maker
def media_in_code(project: Project) -> None:
    project.append(SETTINGS, '\nMEDIA_URL = "media/"\nMEDIA_ROOT = BASE_DIR / "uploads"\n')
    project.append(
        VIEWS,
        '''

        def upload(_request: HttpRequest) -> HttpResponse:
            """Keeps a file where Django keeps uploads."""
            default_storage.delete("hello.txt")
            default_storage.save("hello.txt", ContentFile(b"hello"))
            return HttpResponse("kept")
        ''',
    )
    imports = "from django.core.files.base import ContentFile\nfrom django.core.files.storage import default_storage\n"
    project.replace(VIEWS, "from django.http", imports + "from django.http")
    project.replace(URLS, "views.page)", 'views.page), path("upload/", views.upload)')


@maker
def writes_in_code(project: Project) -> None:
    project.write("search_index/.keep", "")
    project.replace(
        VIEWS, "    return render(", '    (settings.BASE_DIR / "search_index" / "seen").touch()\n    return render('
    )


@maker
def chdir(project: Project) -> None:
    project.move("manage.py", "site/manage.py")
    project.move("club", "site/club")
    project.move("site/" + PAGE, "site/pages/club/page.html")
    project.replace("site/" + SETTINGS, '"DIRS": []', '"DIRS": ["pages"]')


# --- how it is run ----------------------------------------------------------------------------------------------------
@maker
def console_script(project: Project) -> None:
    project.write("pyproject.toml", PROJECT + 'scripts = {club-admin = "club.command:main"}\n' + BUILD_SYSTEM)
    project.write("requirements.txt", ".\n")
    command = project.read("manage.py").partition('if __name__ == "__main__":\n')
    project.write("club/command.py", f"{command[0]}def main() -> None:\n{command[2]}")
    project.remove("manage.py")


@maker
def module_manage(project: Project) -> None:
    project.move("manage.py", "club/__main__.py")


@maker
def wrong_callable(project: Project) -> None:
    project.replace(SETTINGS, "club.wsgi.application", "club.wsgi.app")


@maker
def asgi_only(project: Project) -> None:
    project.move("club/wsgi.py", "club/asgi.py")
    project.replace("club/asgi.py", "wsgi", "asgi")
    project.replace(
        SETTINGS, 'WSGI_APPLICATION = "club.wsgi.application"', 'ASGI_APPLICATION = "club.asgi.application"'
    )


@maker
def nothing_at_root(project: Project) -> None:
    project.replace(URLS, 'path("", ', 'path("club/", ')


@maker
def below_a_path(_project: Project) -> None:
    """Its path is the Gig's business."""


@maker
def sites(project: Project) -> None:
    project.replace(SETTINGS, '["club", ', '["club", "django.contrib.sites", ')
    project.replace(
        VIEWS, "from .models", "from django.contrib.sites.shortcuts import get_current_site\n\nfrom .models"
    )
    project.replace(VIEWS, '{"club"', '{"where": f" at {get_current_site(request).name}", "club"')
    project.write(
        "club/fixtures/sites.json",
        """\
        [
          {"model": "sites.site", "pk": 1, "fields": {"domain": "one-sites.example.com", "name": "one"}},
          {"model": "sites.site", "pk": 2, "fields": {"domain": "two-sites.example.com", "name": "two"}}
        ]
        """,
    )
