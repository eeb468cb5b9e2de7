"""A minimal Django site. Tests bring faults in through `files` of the manifest."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
TUNE = os.environ["BAND_TUNE"]
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")
ROOT_URLCONF = "band.urls"
WSGI_APPLICATION = "band.wsgi.application"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
INSTALLED_APPS = ["django.contrib.staticfiles", "band"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(os.environ["BACKSTAGE_DATA"], "band.sqlite3"),
    }
}
STATIC_URL = "/static/"
STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ["BACKSTAGE_MEDIA_ROOT"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
