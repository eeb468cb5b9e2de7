"""What the club promises its visitors."""

import os
from datetime import time
from unittest.mock import patch

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import TestCase, override_settings

from .models import Guest, JazzSet, Musician
from .photos import LARGEST

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
IN_MEMORY = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


@override_settings(STORAGES=IN_MEMORY)
class Programme(TestCase):
    def test_reads_the_night_from_the_database(self) -> None:
        night = JazzSet.objects.create(starts=time(20), title="Late Set")
        night.musicians.add(Musician.objects.create(name="Ada", instrument="vibraphone"))
        page = self.client.get("/")
        for text in ("20:00", "Late Set", "Ada", "vibraphone"):
            self.assertContains(page, text)

    def test_playbill_tells_what_plays(self) -> None:
        exported = {
            "BACKSTAGE_PRODUCTION": "jazz",
            "BACKSTAGE_ACT": "kittens",
            "BACKSTAGE_RELEASE": "0123456789ab",
        }
        with patch.dict(os.environ, exported):
            page = self.client.get("/")
        for text in exported.values():
            self.assertContains(page, text)

    def test_models_and_migrations_agree(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@override_settings(STORAGES=IN_MEMORY)
class GuestBook(TestCase):
    fixtures = ["opening_night.json"]

    def sign(self, name: str = "Ann", photo: SimpleUploadedFile | str = "") -> object:
        return self.client.post("/", {"name": name, "message": "Bravo", "photo": photo})

    def test_guest_with_a_photograph(self) -> None:
        answer = self.sign(photo=SimpleUploadedFile("me.html", PNG))
        self.assertRedirects(answer, "/#guest-book", fetch_redirect_response=False)
        self.assertRegex(Guest.objects.get(name="Ann").photo.name, r"^guests/[0-9a-f]{32}\.png$")
        self.assertContains(self.client.get("/"), "Photograph left by Ann")

    def test_what_guests_write_is_text(self) -> None:
        self.sign(name="<b>Bo</b>")
        self.assertContains(self.client.get("/"), "&lt;b&gt;Bo&lt;/b&gt;")

    def test_refused_photographs(self) -> None:
        cases = {
            "Only JPEG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "at most 4 MB": PNG + bytes(LARGEST),
        }
        for reason, content in cases.items():
            with self.subTest(reason):
                answer = self.sign(photo=SimpleUploadedFile("me.png", content))
                self.assertContains(answer, reason)
        self.assertFalse(Guest.objects.filter(name="Ann").exists())
