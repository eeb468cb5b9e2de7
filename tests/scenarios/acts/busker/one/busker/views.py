# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages for tests: who answers, slowly if asked to, and with which environment."""

import hashlib
import os
import time

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static

from .edition import EDITION
from .models import Song


def corner(_request: HttpRequest) -> JsonResponse:
    """Return who answers. The page reads the database, so that the answer proves that it works."""
    return JsonResponse(
        {
            "production": os.environ["BACKSTAGE_PRODUCTION"],
            "act": os.environ["BACKSTAGE_ACT"],
            "release": os.environ["BACKSTAGE_RELEASE"],
            "edition": EDITION,
            "songs": Song.objects.count(),
            "style": static("busker/hat.css"),
            "key": hashlib.sha256(settings.SECRET_KEY.encode()).hexdigest()[:12],
        }
    )


def slow(request: HttpRequest) -> JsonResponse:
    """Answer so slowly that a switch happens meanwhile."""
    time.sleep(min(float(request.GET["seconds"]), 10))
    return JsonResponse({"edition": EDITION})


def variables(_request: HttpRequest) -> JsonResponse:
    """Return the whole environment, byte for byte. This Act has only test values."""
    return JsonResponse({name.decode(): value.hex() for name, value in os.environb.items()})
