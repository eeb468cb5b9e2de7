"""What the club remembers: musicians, the sets they play, and guests."""

from django.db import models

from .photos import photo_path, validate_photo


class Musician(models.Model):
    """Somebody who plays here."""

    name = models.CharField(max_length=60)
    instrument = models.CharField(max_length=40)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name}, {self.instrument}"


class JazzSet(models.Model):
    """One set of the night."""

    starts = models.TimeField()
    title = models.CharField(max_length=80)
    note = models.CharField(max_length=160, blank=True, help_text="One line under the title.")
    musicians = models.ManyToManyField(Musician, related_name="sets")

    class Meta:
        ordering = ["starts"]
        verbose_name = "set"

    def __str__(self) -> str:
        return self.title


class Guest(models.Model):
    """A line in the guest book, with a photograph if its writer had one."""

    name = models.CharField(max_length=60)
    message = models.TextField(max_length=400)
    photo = models.FileField(upload_to=photo_path, validators=[validate_photo], blank=True)
    signed = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-signed"]

    def __str__(self) -> str:
        return self.name
