import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from delivery import conf


class Migration(migrations.Migration):
    """Make the table of opt-outs and their ends. The release before does not know it."""

    dependencies = [
        ("delivery", "0021_pre_edits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=16)),
                ("opted_out", models.BooleanField()),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("keyword", "Keyword"),
                            ("provider", "Provider"),
                            ("staff", "Staff"),
                            ("file", "File"),
                        ],
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consent_changes",
                        to=conf.tenant_model(),
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant", "number", "-id"], name="consent_of_number")
                ],
            },
        ),
    ]
