# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of an Act that takes as much of its host as it is asked to."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = os.environ["BACKSTAGE_HOSTS"].split(",")
ROOT_URLCONF = "guest.urls"
WSGI_APPLICATION = "guest.wsgi.application"
