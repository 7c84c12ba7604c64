from django.db import migrations, models

from delivery import schema_changes


class Migration(migrations.Migration):
    """An index of the texts that wait, which are applied before the reports that wait."""

    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        ("delivery", "0008_opt_outs_from_files"),
    ]

    operations = [
        schema_changes.AddIndex(
            model_name="webhookevent",
            index=models.Index(
                condition=models.Q(applied_at__isnull=True, event_type="message.received"),
                fields=["due_at", "id"],
                name="webhook_event_text_due",
            ),
        ),
    ]
