from typing import Any

from django.db import migrations, models

_STREAM = models.ForeignKey(
    db_index=False, on_delete=models.CASCADE, related_name="events", to="realtime.stream"
)


def drop_indexes(apps: Any, schema_editor: Any) -> None:
    """Drop the index of the age, and the index of the stream that the unique constraint begins with.

    Each append of an event wrote an entry into both. PostgreSQL drops them without blocking writers.
    """
    connection, table = schema_editor.connection, apps.get_model("realtime", "Event")._meta.db_table
    concurrently = " CONCURRENTLY" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
        for name, one in found.items():
            if one["index"] and not one["unique"] and one["columns"] in (["stream_id"], ["at"]):
                quoted = schema_editor.quote_name(name)
                cursor.execute(f"DROP INDEX{concurrently} IF EXISTS {quoted}")


def restore_indexes(apps: Any, schema_editor: Any) -> None:
    event = apps.get_model("realtime", "Event")
    schema_editor.add_index(event, models.Index(fields=["at"], name="event_age"))
    schema_editor.add_index(event, models.Index(fields=["stream"], name="realtime_event_stream_id"))


class Migration(migrations.Migration):
    # DROP INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        ("realtime", "0002_web_process"),
    ]

    operations = [
        migrations.RunPython(drop_indexes, restore_indexes),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="event", name="event_age"),
                migrations.AlterField(model_name="event", name="stream", field=_STREAM),
            ]
        ),
    ]
