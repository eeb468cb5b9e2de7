"""The club: tonight's sets, who plays them, and the guest book."""

from django.apps import AppConfig


class ClubConfig(AppConfig):
    """Names the app for Django's registry and its admin."""

    name = "club"
    verbose_name = "The club"
