# SPDX-License-Identifier: GPL-3.0-or-later
from django.urls import path

from . import views

urlpatterns = [
    path("", views.sit),
    path("eat/", views.eat),
    path("breed/", views.breed),
    path("burn/", views.burn),
    path("haunt/", views.haunt),
]
