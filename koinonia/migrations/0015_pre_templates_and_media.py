import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import koinonia.models.attachment
from delivery import schema_changes


class Migration(migrations.Migration):
    """Add the templates and the uploaded files of a church, and the media of a broadcast."""

    atomic = False

    dependencies = [
        ("koinonia", "0014_pre_inbox"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "token",
                    models.CharField(
                        default=koinonia.models.attachment.new_token,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=40)),
                ("size", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("content", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("keep_until", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "church",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="koinonia.church",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["keep_until"], name="attachment_keep_until")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("church", "digest"), name="attachment_once_per_church"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TextTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("key", models.CharField(editable=False, max_length=400)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("version", models.BigIntegerField(default=1, editable=False)),
                (
                    "church",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="text_templates",
                        to="koinonia.church",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("church", "key"), name="template_name_once_per_church"
                    )
                ],
            },
        ),
        schema_changes.AddField(
            model_name="broadcast",
            name="media_urls",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
