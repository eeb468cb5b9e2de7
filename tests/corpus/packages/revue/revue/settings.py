# SPDX-License-Identifier: GPL-3.0-or-later
import os
from pathlib import Path

DATA = Path(os.environ["BACKSTAGE_DATA"])

SECRET_KEY = os.environ.get("SECRET_KEY") or "not-a-secret"
DEBUG = False
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")

INSTALLED_APPS = ["revue", "django.contrib.staticfiles"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "revue.urls"
WSGI_APPLICATION = "revue.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [], "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]
