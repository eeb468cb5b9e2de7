# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pages: one that plays, and one that runs the Python program in a request's body."""

import os
import subprocess
import sys

from django.http import HttpRequest, HttpResponse
from django.urls import path


def front(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("a stranger plays")


def run(request: HttpRequest) -> HttpResponse:
    """Run a program as the player, inside the emperor's sandbox; what it prints is the answer."""
    words = request.GET.getlist("word")
    python = os.path.join(sys.prefix, "bin", "python")  # sys.executable is uWSGI
    done = subprocess.run([python, "-I", "-", *words], input=request.body, capture_output=True, check=False)
    return HttpResponse(done.stdout + done.stderr, content_type="text/plain")


urlpatterns = [path("", front), path("run", run)]
