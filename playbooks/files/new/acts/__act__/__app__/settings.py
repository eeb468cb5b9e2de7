"""The settings.

On a host, the Act's environment variables say what the host decides. Without them this is a developer's checkout, where
the defaults serve `python manage.py runserver`.
"""

import os
from pathlib import Path

import dj_database_url


def listed(name: str) -> list[str]:
    """Return the items of a variable that separates them by commas."""
    return [item for item in os.environ.get(name, "").split(",") if item]


BASE_DIR = Path(__file__).resolve().parent.parent
ON_STAGE = "BACKSTAGE_ACT" in os.environ

DEBUG = not ON_STAGE
SECRET_KEY = os.environ["SECRET_KEY"] if ON_STAGE else "django-insecure-for-a-checkout-only"
ALLOWED_HOSTS = listed("BACKSTAGE_HOSTS")
CSRF_TRUSTED_ORIGINS = listed("BACKSTAGE_ORIGINS")

INSTALLED_APPS = [
    "__app__",
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
ROOT_URLCONF = "__app__.urls"
WSGI_APPLICATION = "__app__.wsgi.application"
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

# DATABASE_URL is what the manifest's key `database` gives.
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Writers queue for the file instead of failing when two workers meet.
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]

# Relative URLs follow the path of the Gig: the same project plays at / and below a path.
STATIC_URL = "static/"
STATIC_ROOT = os.environ.get("BACKSTAGE_STATIC_ROOT", BASE_DIR / "static_root")
MEDIA_URL = "media/"
MEDIA_ROOT = os.environ.get("BACKSTAGE_MEDIA_ROOT", BASE_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # On a host every name has the hash of its content, so browsers may keep it for good.
        "BACKEND": "django.contrib.staticfiles.storage."
        + ("ManifestStaticFilesStorage" if ON_STAGE else "StaticFilesStorage"),
    },
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# A Venue with TLS has https:// origins. Cookies of a plain one can't be Secure.
HTTPS = any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# `tls` of the Venue says who is redirected to HTTPS, and whether browsers hear of HSTS (W004, W005, W008, W021).
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W005", "security.W008", "security.W021"]
if not HTTPS:
    SILENCED_SYSTEM_CHECKS += ["security.W012", "security.W016"]
