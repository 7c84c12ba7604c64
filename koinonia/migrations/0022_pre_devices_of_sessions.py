from django.db import migrations, models

from delivery import schema_changes


def _text(length: int) -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", max_length=length)


class Migration(migrations.Migration):
    """Keep the browser, the network and the times of a session, for the list of the user.

    The columns are empty or have a default in the database: the release before can go on making sessions.
    """

    atomic = False

    dependencies = [("koinonia", "0021_pre_key_scopes")]

    operations = [
        schema_changes.AddField(model_name="usersession", name="agent", field=_text(300)),
        schema_changes.AddField(model_name="usersession", name="network", field=_text(45)),
        schema_changes.AddField(
            model_name="usersession", name="started_at", field=models.DateTimeField(null=True)
        ),
        schema_changes.AddField(
            model_name="usersession", name="seen_at", field=models.DateTimeField(null=True)
        ),
    ]
