"""A project of a few lines around an app that is a package with its templates and static files."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
ON_STAGE = "BACKSTAGE_ACT" in os.environ

DEBUG = not ON_STAGE
SECRET_KEY = os.environ["SECRET_KEY"] if ON_STAGE else "django-insecure-for-a-checkout-only"
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",") if ON_STAGE else []

INSTALLED_APPS = [
    "polls",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "pollsite.urls"
WSGI_APPLICATION = "pollsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ.get("BACKSTAGE_DATA", BASE_DIR)) / "db.sqlite3",
    },
}
STATIC_URL = "static/"
STATIC_ROOT = os.environ.get("BACKSTAGE_STATIC_ROOT", BASE_DIR / "static_root")
USE_TZ = True
