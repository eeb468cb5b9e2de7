# SPDX-License-Identifier: GPL-3.0-or-later
from django.db import models


class Club(models.Model):
    """Hooks say whether its table was there."""
