# SPDX-License-Identifier: GPL-3.0-or-later
from django.apps import AppConfig

from . import rehearsal  # noqa: F401  every process that sets Django up pays for it: workers and management commands


class Encore(AppConfig):
    name = "encore"
