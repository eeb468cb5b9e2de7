"""The club at the root, the stage door (Django's admin) beside it."""

from club.views import programme
from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import path

admin.site.site_header = admin.site.site_title = "Jam Session: the stage door"
admin.site.index_title = "Tonight"

urlpatterns = [
    path("", programme, name="programme"),
    path("admin/", admin.site.urls),
    # In a checkout only: on stage nginx hands out the guests' photographs.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
