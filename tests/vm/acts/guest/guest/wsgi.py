# SPDX-License-Identifier: GPL-3.0-or-later
import os

from django.core.wsgi import get_wsgi_application

BREAKFAST = b"x" * (int(os.environ.get("BREAKFAST", "0")) << 20)  # megabytes that it takes while it is loaded

application = get_wsgi_application()
