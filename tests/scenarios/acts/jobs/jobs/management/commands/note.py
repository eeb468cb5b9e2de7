# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys
import time

from django.core.management.base import BaseCommand

from jobs.work import note


class Command(BaseCommand):
    """note WORD: writes down a word and as whom it runs; for timers and hooks."""

    def add_arguments(self, parser):
        parser.add_argument("word")
        parser.add_argument("--seconds", type=float, default=0)
        parser.add_argument("--fail", action="store_true")

    def handle(self, *args, **options):
        note("note", options["word"], os.getuid())
        print("noted", options["word"], flush=True)
        time.sleep(options["seconds"])
        if options["fail"]:
            sys.exit(f"{options['word']} fails because it was told to")
        note("note", options["word"] + "-ended", os.getuid())
