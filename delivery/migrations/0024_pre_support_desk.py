from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from delivery import conf, schema_changes


def _loose_user() -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


def _of_user(**options: Any) -> models.ForeignKey:
    return models.ForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        **options,
    )


def _key() -> tuple[str, models.Field]:
    return "id", models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    """Make the tables of the support desk: stops of tenants, bulk retries, assignments, saved filters.

    The release before knows none of them: no constraint of theirs hinders its deletions, and an order to the
    breaker that it gives has no end.
    """

    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        ("delivery", "0023_pre_own_cap"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TenantStop",
            fields=[
                _key(),
                ("reason", models.CharField(max_length=200)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by", models.CharField(blank=True, max_length=150)),
                ("end_reason", models.CharField(blank=True, max_length=200)),
                ("by", _loose_user()),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=conf.tenant_model(),
                    ),
                ),
            ],
            options={
                "verbose_name": "stop",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("tenant",),
                        name="tenant_stop_once",
                    )
                ],
                "indexes": [models.Index(fields=["tenant", "-id"], name="tenant_stop_list")],
            },
        ),
        migrations.CreateModel(
            name="RetryRun",
            fields=[
                _key(),
                ("at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("may_double", models.BooleanField(default=False)),
                ("chosen", models.PositiveIntegerField()),
                ("retried", models.PositiveIntegerField(default=0)),
                ("parts", models.PositiveIntegerField(default=0)),
                ("refused", models.JSONField(default=dict)),
                ("by", _loose_user()),
            ],
            options={
                "verbose_name": "bulk retry",
                "verbose_name_plural": "bulk retries",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="LetterAssignment",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="assignment",
                        serialize=False,
                        to="delivery.message",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("by", _loose_user()),
                ("to", _of_user()),
            ],
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                _key(),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(max_length=1000)),
                ("user", _of_user(db_index=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "name"), name="saved_filter_once")
                ],
            },
        ),
        schema_changes.AddField(
            model_name="forcedbreaker",
            name="until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        schema_changes.AlterField(
            model_name="deadletteraction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("retry", "Retry"),
                    ("discard", "Discard"),
                    ("review", "Review"),
                    ("assign", "Assign"),
                    ("note", "Note"),
                ],
                max_length=7,
            ),
        ),
        schema_changes.AddField(
            model_name="deadletteraction",
            name="run",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="actions",
                to="delivery.retryrun",
            ),
        ),
        schema_changes.AddIndex(
            model_name="deadletteraction",
            index=models.Index(
                condition=models.Q(("run__isnull", False)),
                fields=["run"],
                name="dead_letter_action_of_run",
            ),
        ),
    ]
