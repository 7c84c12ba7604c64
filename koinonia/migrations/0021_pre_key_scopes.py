from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """Add the scopes of API keys. The release before makes tokens without scopes, and refuses keys with some."""

    atomic = False

    dependencies = [("koinonia", "0020_pre_members_of_a_group")]

    operations = [
        schema_changes.AddField(
            model_name="tokendetails",
            name="scopes",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=100
            ),
        ),
    ]
