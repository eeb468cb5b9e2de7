"""The stage door: where the club's own people change the programme."""

from django.contrib import admin

from .models import Guest, JazzSet, Musician


@admin.register(Musician)
class MusicianAdmin(admin.ModelAdmin):
    list_display = ["name", "instrument"]
    search_fields = ["name", "instrument"]


@admin.register(JazzSet)
class JazzSetAdmin(admin.ModelAdmin):
    list_display = ["title", "starts"]
    filter_horizontal = ["musicians"]


@admin.register(Guest)
class GuestAdmin(admin.ModelAdmin):
    list_display = ["name", "message", "signed"]
    date_hierarchy = "signed"
    readonly_fields = ["signed"]
