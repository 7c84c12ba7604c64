from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import koinonia.models.conversation
from delivery import schema_changes


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [("koinonia", "0002_broadcast_conversation")]

    operations = [
        schema_changes.AddIndex(
            model_name="member",
            index=models.Index(fields=["church", "phone"], name="member_phone"),
        ),
        schema_changes.RemoveConstraint(model_name="member", name="member_phone_once_per_church"),
        schema_changes.AddField(
            model_name="conversation",
            name="named_member",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="koinonia.member",
            ),
        ),
        # It has no column: nothing of it is to be done in the database.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="conversation",
                    name="member",
                    field=koinonia.models.conversation.NumberHolder(
                        from_fields=["church", "phone"],
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="koinonia.member",
                        to_fields=["church", "phone"],
                    ),
                ),
            ],
        ),
    ]
