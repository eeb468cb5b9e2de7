"""What the site promises its visitors and its host."""

import os
import subprocess
import sys

from django.conf import settings
from django.core.management import call_command
from django.test import SimpleTestCase, TestCase
from django.urls import reverse

from .models import Announcement


class FrontPage(TestCase):
    fixtures = ["welcome.json"]

    def test_reads_the_database(self) -> None:
        Announcement.objects.create(text="Open from eight")
        page = self.client.get(reverse("front"))
        for text in ("It plays.", "Open from eight", reverse("admin:index")):
            self.assertContains(page, text)

    def test_what_people_write_is_text(self) -> None:
        Announcement.objects.create(text="<b>eight</b>")
        self.assertContains(self.client.get(reverse("front")), "&lt;b&gt;eight&lt;/b&gt;")

    def test_models_and_migrations_agree(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


class OnAHost(SimpleTestCase):
    """The settings as the host's variables make them: in a process of its own, because they are read at its start."""

    WORLD = {
        "BACKSTAGE_ACT": "__act__",
        "BACKSTAGE_HOSTS": "a.example.com,b.example.com",
        "BACKSTAGE_ORIGINS": "http://a.example.com,http://b.example.com",
        "BACKSTAGE_STATIC_ROOT": "/srv/static",
        "BACKSTAGE_MEDIA_ROOT": "/srv/media",
        "DATABASE_URL": "sqlite:////srv/data/db.sqlite3",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "DJANGO_SETTINGS_MODULE": "__app__.settings",
    }
    HTTPS = {"BACKSTAGE_ORIGINS": "https://a.example.com"}

    def run_python(self, *argv: str, **more: str) -> str:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BACKSTAGE_")}
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=settings.BASE_DIR,
            env={**inherited, **self.WORLD, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.strip()

    def read(self, expression: str, **more: str) -> str:
        return self.run_python("-c", f"from django.conf import settings; print({expression})", **more)

    def test_nothing_is_left_to_harden(self) -> None:
        for more in ({}, self.HTTPS):
            with self.subTest(more):
                self.run_python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **more)

    def test_its_world(self) -> None:
        self.assertEqual(self.read("*settings.ALLOWED_HOSTS, settings.DEBUG"), "a.example.com b.example.com False")
        self.assertEqual(self.read("settings.STATIC_ROOT, settings.MEDIA_ROOT"), "/srv/static /srv/media")
        self.assertEqual(self.read("settings.SECRET_KEY"), self.WORLD["SECRET_KEY"])

    def test_cookies_are_secure_with_tls(self) -> None:
        cookies = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE"
        self.assertEqual(self.read(cookies), "False False")
        self.assertEqual(self.read(cookies, **self.HTTPS), "True True")

    def test_its_database(self) -> None:
        place = "settings.DATABASES['default']['ENGINE'], settings.DATABASES['default']['NAME']"
        self.assertEqual(self.read(place), "django.db.backends.sqlite3 /srv/data/db.sqlite3")
        postgresql = self.read(place, DATABASE_URL="postgresql:///cats-kittens")
        self.assertEqual(postgresql, "django.db.backends.postgresql cats-kittens")
