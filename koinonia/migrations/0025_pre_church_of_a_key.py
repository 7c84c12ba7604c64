import django.db.models.deletion
from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """Add the church of an API key. The release before refuses keys with one: their fingerprint differs."""

    atomic = False

    dependencies = [("koinonia", "0024_pre_webhooks")]

    operations = [
        schema_changes.AddField(
            model_name="tokendetails",
            name="church",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="koinonia.church",
            ),
        ),
    ]
