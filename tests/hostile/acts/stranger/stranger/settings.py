# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of an Act whose visitors may run what they like: a tenant who means harm, for tests alone."""

import os
from pathlib import Path

SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.staticfiles", "stranger"]
ROOT_URLCONF = "stranger.urls"
WSGI_APPLICATION = "stranger.wsgi.application"
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["BACKSTAGE_DATA"]) / "db.sqlite3"}
}
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ["BACKSTAGE_MEDIA_ROOT"]
