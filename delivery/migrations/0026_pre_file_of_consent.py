from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """Store the file behind an entry of the log of consent. The release before leaves it empty."""

    atomic = False

    dependencies = [("delivery", "0025_pre_find_permissions")]

    operations = [
        schema_changes.AddField(
            model_name="consentchange",
            name="file_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
    ]
