"""The inbox: who answers a conversation, whether it is done, and notes of the staff.

The columns are empty or have a default in the database, so that the release before can go on
beside this schema; ``manage.py prune`` opens the conversations in which it received texts.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F

from delivery import schema_changes

_AT_ONCE = 1000


def open_unread_conversations(apps: Any, schema_editor: Any) -> None:
    """Open each conversation with unread texts, a batch at a time. Few have any."""
    alias = schema_editor.connection.alias
    rows = apps.get_model("koinonia", "Conversation").objects.using(alias)
    unread = rows.filter(unread_count__gt=0, inbox_at=None).order_by("church", "pk")
    while keys := list(unread.values_list("pk", flat=True)[:_AT_ONCE]):
        rows.filter(pk__in=keys).update(state="open", inbox_at=F("updated_at"))


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        ("koinonia", "0013_pre_audit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        schema_changes.AddField(
            model_name="conversation",
            name="assigned_to",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="conversations",
                to="koinonia.staff",
            ),
        ),
        schema_changes.AddField(
            model_name="conversation",
            name="state",
            field=models.CharField(
                choices=[("quiet", "Quiet"), ("open", "Open"), ("done", "Done")],
                db_default="quiet",
                default="quiet",
                max_length=5,
            ),
        ),
        schema_changes.AddField(
            model_name="conversation",
            name="inbox_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        schema_changes.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("unread_count__gt", 0)),
                fields=["church", "-inbox_at", "-id"],
                name="conversation_unread_list",
            ),
        ),
        migrations.RunPython(open_unread_conversations, migrations.RunPython.noop, atomic=False),
        schema_changes.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("inbox_at__isnull", False)),
                fields=["church", "state", "-inbox_at", "-id"],
                name="conversation_inbox",
            ),
        ),
        schema_changes.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("assigned_to__isnull", False)),
                fields=["assigned_to", "-inbox_at", "-id"],
                name="conversation_assigned",
            ),
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.CharField(max_length=2000)),
                ("created_at", models.DateTimeField()),
                (
                    "author",
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
                    "church",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="koinonia.church",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="koinonia.conversation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["church", "-id"], name="note_list"),
                    models.Index(fields=["conversation", "-id"], name="note_of_conversation"),
                ],
            },
        ),
    ]
