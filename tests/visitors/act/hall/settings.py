"""An Act that tells what it sees of a request, and what a view would believe of it."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")
ROOT_URLCONF = "hall.urls"
WSGI_APPLICATION = "hall.wsgi.application"
MIDDLEWARE = ["hall.views.noted", "django.middleware.common.CommonMiddleware"]
INSTALLED_APPS = ["django.contrib.staticfiles", "hall"]
DATABASES = {}
STATIC_URL = "/static/"
STATIC_ROOT = os.environ["BACKSTAGE_STATIC_ROOT"]
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ["BACKSTAGE_MEDIA_ROOT"]
DATA_UPLOAD_MAX_MEMORY_SIZE = None
USE_X_FORWARDED_HOST = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
