"""What the site remembers."""

from django.db import models


class Announcement(models.Model):
    """A line on the front page."""

    text = models.CharField(max_length=200)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-since"]

    def __str__(self) -> str:
        return self.text
