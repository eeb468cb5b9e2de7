"""The callable that a WSGI server plays."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jamsession.settings")
application = get_wsgi_application()
