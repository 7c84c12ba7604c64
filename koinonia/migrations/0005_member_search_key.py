"""A search finds names whatever their case and accents.

The column has a default in the database, so that the release before can go on making members
beside this schema; ``manage.py prune`` completes theirs.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from delivery import schema_changes
from koinonia.names import search_key

_AT_ONCE = 1000
_LENGTH = 400


def make_search_keys(apps: Any, schema_editor: Any) -> None:
    """Make the search key of each member, a batch at a time."""
    members = apps.get_model("koinonia", "Member").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := list(members.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        for member in batch:
            name = f"{member.first_name} {member.last_name}".strip()
            member.search_key = search_key(name)[:_LENGTH]
        members.bulk_update(batch, ["search_key"], batch_size=200)
        last = batch[-1].pk


class Migration(migrations.Migration):
    # One batch is one transaction: a large church must not be locked for the whole of it.
    atomic = False

    dependencies = [("koinonia", "0004_group_key")]

    operations = [
        schema_changes.AddField(
            model_name="member",
            name="search_key",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=400
            ),
        ),
        migrations.RunPython(make_search_keys, migrations.RunPython.noop, atomic=False),
        schema_changes.AddIndex(
            model_name="member",
            index=models.Index(fields=["church", "search_key"], name="member_search"),
        ),
    ]
