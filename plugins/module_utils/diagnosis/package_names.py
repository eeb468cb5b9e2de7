# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package of each known module. A module that is not here is never installed by a guess."""

from __future__ import annotations

PACKAGES = {
    "MySQLdb": "mysqlclient",
    "PIL": "Pillow",
    "allauth": "django-allauth",
    "bs4": "beautifulsoup4",
    "celery": "celery",
    "channels": "channels",
    "ckeditor": "django-ckeditor",
    "compressor": "django-compressor",
    "corsheaders": "django-cors-headers",
    "crispy_bootstrap5": "crispy-bootstrap5",
    "crispy_forms": "django-crispy-forms",
    "dateutil": "python-dateutil",
    "debug_toolbar": "django-debug-toolbar",
    "decouple": "python-decouple",
    "dj_database_url": "dj-database-url",
    "django": "Django",
    "django_extensions": "django-extensions",
    "django_filters": "django-filter",
    "django_htmx": "django-htmx",
    "django_redis": "django-redis",
    "dotenv": "python-dotenv",
    "drf_spectacular": "drf-spectacular",
    "easy_thumbnails": "easy-thumbnails",
    "environ": "django-environ",
    "guardian": "django-guardian",
    "import_export": "django-import-export",
    "markdown": "Markdown",
    "mptt": "django-mptt",
    "packaging": "packaging",
    "pkg_resources": "setuptools<82",
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "redis": "redis",
    "requests": "requests",
    "rest_framework": "djangorestframework",
    "sentry_sdk": "sentry-sdk",
    "simple_history": "django-simple-history",
    "sorl": "sorl-thumbnail",
    "storages": "django-storages",
    "taggit": "django-taggit",
    "wagtail": "wagtail",
    "whitenoise": "whitenoise",
    "widget_tweaks": "django-widget-tweaks",
    "yaml": "PyYAML",
}
