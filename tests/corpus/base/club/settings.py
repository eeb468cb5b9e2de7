# SPDX-License-Identifier: GPL-3.0-or-later
"""What every project of the corpus begins with; projects.py makes the one thing odd."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
CLUB = "plain"

SECRET_KEY = os.environ.get("SECRET_KEY") or "not-a-secret"
DEBUG = False
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")

INSTALLED_APPS = ["club", "django.contrib.staticfiles"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "club.urls"
WSGI_APPLICATION = "club.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [], "APP_DIRS": True}]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["BACKSTAGE_DATA"]) / "db.sqlite3"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]
