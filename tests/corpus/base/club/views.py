# SPDX-License-Identifier: GPL-3.0-or-later
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .models import Song


def page(request: HttpRequest) -> HttpResponse:
    """Says which project plays, from a template and the database."""
    return render(request, "club/page.html", {"club": settings.CLUB, "songs": Song.objects.count()})
