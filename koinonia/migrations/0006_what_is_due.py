from __future__ import annotations

from django.db import migrations, models

import koinonia.zones
from delivery import schema_changes


class Migration(migrations.Migration):
    # Each change locks its table for a moment of its own.
    atomic = False

    dependencies = [("koinonia", "0005_member_search_key")]

    # With defaults of the database: the release before this one writes rows beside it.
    operations = [
        schema_changes.AddField(
            model_name="broadcast",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        schema_changes.AddField(
            model_name="broadcast",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        schema_changes.AddField(
            model_name="broadcast",
            name="forecast_suppressed",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        schema_changes.AddField(
            model_name="broadcast",
            name="ended_as",
            field=models.CharField(blank=True, db_default="", default="", max_length=11),
        ),
        schema_changes.AddIndex(
            model_name="broadcast",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at"],
                name="broadcast_due",
            ),
        ),
        migrations.AlterField(
            model_name="church",
            name="timezone",
            field=models.CharField(
                default="UTC", max_length=64, validators=[koinonia.zones.check_zone]
            ),
        ),
        schema_changes.AddField(
            model_name="church",
            name="plain_punctuation",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Write ' for a curly apostrophe and the like, which make a text cost more parts.",
            ),
        ),
    ]
