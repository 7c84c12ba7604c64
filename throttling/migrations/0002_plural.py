from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("throttling", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="allowance",
            options={"verbose_name": "allowlist entry", "verbose_name_plural": "allowlist entries"},
        ),
    ]
