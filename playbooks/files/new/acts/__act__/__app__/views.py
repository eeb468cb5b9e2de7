"""The pages."""

import os

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .models import Announcement

SHOWN = 20


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Show the latest announcements, and which release answers."""
    release = os.environ.get("BACKSTAGE_RELEASE", "a checkout")
    context = {"announcements": Announcement.objects.all()[:SHOWN], "release": release}
    return render(request, "__app__/front.html", context)
