"""Settings of the jam session: what a host decides is read from the environment.

Backstage exports BACKSTAGE_*. Without them this is a developer's checkout, where the
defaults serve `python manage.py runserver`.
"""

import os
from pathlib import Path


def listed(name: str) -> list[str]:
    """The items of a variable that separates them by commas."""
    return [item for item in os.environ.get(name, "").split(",") if item]


BASE_DIR = Path(__file__).resolve().parent.parent
ON_STAGE = "BACKSTAGE_ACT" in os.environ

DEBUG = not ON_STAGE
SECRET_KEY = os.environ["SECRET_KEY"] if ON_STAGE else "django-insecure-for-a-checkout-only"
ALLOWED_HOSTS = listed("BACKSTAGE_HOSTS")
CSRF_TRUSTED_ORIGINS = listed("BACKSTAGE_ORIGINS")

INSTALLED_APPS = [
    "club",
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
ROOT_URLCONF = "jamsession.urls"
WSGI_APPLICATION = "jamsession.wsgi.application"
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
        # Writers queue for the file instead of failing when two workers meet.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]

# Relative URLs follow the path of the Gig: the same project plays at / and at /club.
STATIC_URL = "static/"
STATIC_ROOT = os.environ.get("BACKSTAGE_STATIC_ROOT", BASE_DIR / "static_root")
MEDIA_URL = "media/"
MEDIA_ROOT = os.environ.get("BACKSTAGE_MEDIA_ROOT", BASE_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # On stage every name carries the hash of its content, so browsers may keep it for good.
        "BACKEND": "django.contrib.staticfiles.storage."
        + ("ManifestStaticFilesStorage" if ON_STAGE else "StaticFilesStorage"),
    },
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# A Venue with TLS announces https:// origins; cookies of a plain one can't be Secure.
HTTPS = any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 3600 if HTTPS else 0
# Whether its subdomains and browsers' preload lists follow is for the domain's owner to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
