from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """Count the edits of a scheduled message. The database has the default: no row is rewritten."""

    atomic = False

    dependencies = [("delivery", "0018_pre_message_trace")]

    operations = [
        schema_changes.AddField(
            model_name="message",
            name="edits",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]
