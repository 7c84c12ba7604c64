from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """Let a tenant choose a cap below the operator's. The column may be empty."""

    atomic = False

    dependencies = [("delivery", "0022_pre_consent_changes")]

    operations = [
        schema_changes.AddField(
            model_name="spendlimit",
            name="own_cap",
            field=models.PositiveIntegerField(blank=True, editable=False, null=True),
        ),
    ]
