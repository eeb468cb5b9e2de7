# SPDX-License-Identifier: GPL-3.0-or-later
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("busker", "0001_initial")]
    operations = [migrations.AddField("song", "tempo", models.PositiveSmallIntegerField(default=120))]
