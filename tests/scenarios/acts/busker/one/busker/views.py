# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test asks: who answers, for how long, and with which environment."""

import hashlib
import os
import time

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.templatetags.static import static

from .edition import EDITION
from .models import Song


def corner(_request: HttpRequest) -> JsonResponse:
    """Who answers; it reads the database, because an answer that doesn't proves little."""
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
    """An answer that takes so long that a switch happens while it is being made."""
    time.sleep(min(float(request.GET["seconds"]), 10))
    return JsonResponse({"edition": EDITION})


def variables(_request: HttpRequest) -> JsonResponse:
    """The whole environment, byte for byte. This Act holds test values only."""
    return JsonResponse({name.decode(): value.hex() for name, value in os.environb.items()})
