import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """Add the series of broadcasts, the count of edits, and the quiet hours of a church.

    The new columns are empty or have a default in the database: no row is rewritten.
    """

    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        ("koinonia", "0015_pre_templates_and_media"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        schema_changes.AddField(
            model_name="broadcast",
            name="edits",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        schema_changes.AddField(
            model_name="broadcast",
            name="occurrence",
            field=models.DateField(blank=True, null=True),
        ),
        schema_changes.AddField(
            model_name="church",
            name="quiet_from",
            field=models.TimeField(
                blank=True,
                help_text="From this time on, on the clocks where a number is, texts wait. Empty: they never do.",
                null=True,
            ),
        ),
        schema_changes.AddField(
            model_name="church",
            name="quiet_until",
            field=models.TimeField(
                blank=True, help_text="At this time the texts that wait go out.", null=True
            ),
        ),
        migrations.CreateModel(
            name="Series",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("media_urls", models.JSONField(blank=True, default=list)),
                ("audience", models.JSONField()),
                (
                    "every",
                    models.CharField(choices=[("week", "Week"), ("month", "Month")], max_length=5),
                ),
                (
                    "interval",
                    models.PositiveSmallIntegerField(
                        default=1, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                ("on_weekday", models.BooleanField(default=False)),
                ("starts_on", models.DateField()),
                ("at", models.TimeField()),
                ("until", models.DateField(blank=True, null=True)),
                ("count", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.BigIntegerField(default=1, editable=False)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="series",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "church",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="series",
                        to="koinonia.church",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "series",
                "indexes": [models.Index(fields=["church", "-id"], name="series_list")],
            },
        ),
        schema_changes.AddField(
            model_name="broadcast",
            name="series",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="broadcasts",
                to="koinonia.series",
            ),
        ),
        schema_changes.AddUniqueConstraint(
            model_name="broadcast",
            constraint=models.UniqueConstraint(
                fields=("series", "occurrence"), name="broadcast_once_per_occurrence"
            ),
        ),
    ]
