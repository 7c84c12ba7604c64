from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """Give messages a trace. The column is null, so that no row is rewritten."""

    atomic = False

    dependencies = [("delivery", "0016_pre_archives_and_nightly_runs")]

    operations = [
        schema_changes.AddField(
            model_name="message", name="trace", field=models.UUIDField(blank=True, null=True)
        ),
    ]
