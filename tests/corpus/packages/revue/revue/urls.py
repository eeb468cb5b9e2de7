# SPDX-License-Identifier: GPL-3.0-or-later
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from .models import Song


def page(request: HttpRequest) -> HttpResponse:
    return render(request, "revue/page.html", {"songs": Song.objects.count()})


urlpatterns = [path("", page)]
