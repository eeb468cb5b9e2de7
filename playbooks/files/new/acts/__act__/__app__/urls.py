"""The front page, and Django's admin beside it."""

from django.contrib import admin
from django.urls import path

from .views import front

admin.site.site_header = admin.site.site_title = "__title__"

urlpatterns = [
    path("", front, name="front"),
    path("admin/", admin.site.urls),
]
