# SPDX-License-Identifier: GPL-3.0-or-later
from django.db import models


class Song(models.Model):
    title = models.CharField(max_length=100)
