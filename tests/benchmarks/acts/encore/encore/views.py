# SPDX-License-Identifier: GPL-3.0-or-later
"""Three views that a load asks for; each answer tells which edition and which release gave it."""

import os
import time

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from .edition import EDITION

RELEASE = os.environ.get("BACKSTAGE_RELEASE", "")
LONGEST = 30.0


def told(response: HttpResponse) -> HttpResponse:
    response["X-Encore-Edition"] = EDITION
    response["X-Encore-Release"] = RELEASE
    return response


@require_GET
def stage(request: HttpRequest) -> HttpResponse:
    """A small page from a template; it reads no database."""
    return told(render(request, "encore/stage.html", {"edition": EDITION, "release": RELEASE}))


@require_GET
def slow(request: HttpRequest) -> HttpResponse:
    """An answer that takes so long that switches happen while it is being made."""
    try:
        seconds = min(max(float(request.GET.get("seconds", "5")), 0.0), LONGEST)
    except ValueError:
        return told(HttpResponseBadRequest("seconds is a number\n"))
    time.sleep(seconds)
    return told(HttpResponse(f"edition {EDITION}, after {seconds} s\n", content_type="text/plain"))


@csrf_exempt
@require_POST
def echo(request: HttpRequest) -> HttpResponse:
    """Gives the body back, so that a request whose body was lost on the way can't look well."""
    return told(HttpResponse(request.body, content_type="text/plain"))
