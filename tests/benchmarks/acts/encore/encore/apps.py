# SPDX-License-Identifier: GPL-3.0-or-later
import importlib

from django.apps import AppConfig

# every process that sets Django up pays for it: workers and management commands
importlib.import_module("encore.rehearsal")


class Encore(AppConfig):
    name = "encore"
