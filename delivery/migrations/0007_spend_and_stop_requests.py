# The host's models are named by DELIVERY, never here. New columns have a default of the database, so
# that a worker of the release before can write messages beside this one.

import django.db.models.deletion
from django.db import migrations, models

from delivery import conf, schema_changes


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        migrations.swappable_dependency(conf.tenant_model()),
        ("delivery", "0006_due_again"),
    ]

    operations = [
        schema_changes.AddField(
            model_name="message",
            name="asks_to_stop",
            field=models.BooleanField(db_default=False, default=False),
        ),
        schema_changes.AddField(
            model_name="message",
            name="counted_generation",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        schema_changes.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("asks_to_stop", True)),
                fields=["tenant", "-id"],
                name="message_asks_to_stop",
            ),
        ),
        migrations.CreateModel(
            name="StopRequest",
            fields=[],
            options={
                "verbose_name": "request to stop",
                "verbose_name_plural": "requests to stop",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("delivery.message",),
        ),
        migrations.CreateModel(
            name="SpendLimit",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=conf.tenant_model(),
                    ),
                ),
                (
                    "cap",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: the default of the installation (DAILY_PARTS).",
                        null=True,
                        verbose_name="parts in 24 hours",
                    ),
                ),
                ("reached_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("waits_until", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="SpentHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("parts", models.PositiveIntegerField(default=0)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=conf.tenant_model(),
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "hour"), name="spent_hour_once")
                ],
            },
        ),
    ]
