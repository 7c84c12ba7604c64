from django.db import migrations, models

from delivery import schema_changes


def _church(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        on_delete=models.CASCADE,
        related_name=related_name,
        to="koinonia.church",
    )


class Migration(migrations.Migration):
    """Index the list of members, and drop the indexes that another one begins with or nothing uses."""

    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        ("koinonia", "0009_second_number"),
        ("delivery", "0011_indexes_for_ten_million"),
    ]

    operations = [
        schema_changes.AddIndex(
            model_name="member",
            index=models.Index(fields=["church", "-id"], name="member_list"),
        ),
        schema_changes.DropFieldIndex(model_name="member", name="church", field=_church("members")),
        schema_changes.DropFieldIndex(
            model_name="broadcast", name="church", field=_church("broadcasts")
        ),
        schema_changes.DropFieldIndex(
            model_name="conversation", name="church", field=_church("conversations")
        ),
        schema_changes.AlterField(
            model_name="conversation",
            name="last_message",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=models.DO_NOTHING,
                related_name="+",
                to="delivery.message",
            ),
        ),
    ]
