# The column's default in the database is the first alias in DELIVERY["PROVIDERS"]: it fills the rows of
# before, and the rows that a worker of the release before writes beside this one.
#
# New constraints come before old ones go, so that no moment lets an id in twice. The id is the first
# column of each, for the release before, which looks rows up by the id alone.

from django.db import migrations, models

from delivery import conf, schema_changes


def _provider() -> models.CharField:
    return models.CharField(
        db_default=conf.first_provider(), default=conf.default_provider, max_length=32
    )


class Migration(migrations.Migration):
    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        ("delivery", "0009_texts_before_reports"),
    ]

    operations = [
        schema_changes.AddField(model_name="message", name="provider", field=_provider()),
        schema_changes.AddField(model_name="webhookevent", name="provider", field=_provider()),
        schema_changes.AddUniqueConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("provider_id", "provider"), name="message_provider_id_once"
            ),
        ),
        schema_changes.AddUniqueConstraint(
            model_name="webhookevent",
            constraint=models.UniqueConstraint(
                fields=("event_id", "provider"), name="webhook_event_once"
            ),
        ),
        schema_changes.AlterField(
            model_name="message",
            name="provider_id",
            field=models.CharField(blank=True, max_length=64, null=True),
        ),
        schema_changes.AlterField(
            model_name="webhookevent",
            name="event_id",
            field=models.CharField(max_length=64),
        ),
        schema_changes.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status__in", ("queued", "retrying", "scheduled"))),
                fields=["priority", "provider", "tenant", "next_attempt_at", "id"],
                name="message_due_by_provider",
            ),
        ),
        schema_changes.RemoveIndex(model_name="message", name="message_due"),
    ]
