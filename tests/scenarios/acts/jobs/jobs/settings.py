# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act with five queues: two in Redis, two in its database, one in a file of its own."""

import os
from pathlib import Path

DATA = Path(os.environ["BACKSTAGE_DATA"])

SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.staticfiles",
    "django_q",
    "huey.contrib.djhuey",
    "django_tasks",
    "django_tasks.backends.database",
    "django_rq",
    "jobs",
]
MIDDLEWARE = []
ROOT_URLCONF = "jobs.urls"
WSGI_APPLICATION = "jobs.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "db.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": "PRAGMA journal_mode=WAL;"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]

CELERY_BROKER_URL = "redis://127.0.0.1:6379/3"
CELERY_BEAT_SCHEDULE = {"tick": {"task": "jobs.tasks.tick", "schedule": 5.0}}
Q_CLUSTER = {
    "name": "jobs",
    "orm": "default",
    "workers": 2,
    "poll": 0.2,
    "timeout": 120,
    "retry": 180,
    "ack_failures": True,
    "max_attempts": 1,
}
HUEY = {
    "huey_class": "huey.SqliteHuey",
    "name": "jobs",
    "immediate": False,
    "filename": str(DATA / "huey.sqlite3"),
    "consumer": {"workers": 2, "worker_type": "process"},
}
TASKS = {"default": {"BACKEND": "django_tasks.backends.database.DatabaseBackend"}}
RQ_QUEUES = {"default": {"HOST": "127.0.0.1", "PORT": 6379, "DB": 4}}
