# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the Act that benchmarks play; everything it needs comes from its world (BACKSTAGE_*)."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("SECRET_KEY", "only for check and runserver on a developer's machine")
DEBUG = False
ALLOWED_HOSTS = [host for host in os.environ.get("BACKSTAGE_HOSTS", "").split(",") if host] or [
    "localhost",
    "127.0.0.1",
]

INSTALLED_APPS = [
    "encore.apps.Encore",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "encore.urls"
WSGI_APPLICATION = "encore.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ.get("BACKSTAGE_DATA", BASE_DIR)) / "db.sqlite3",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("BACKSTAGE_STATIC_ROOT", BASE_DIR / "collected")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
