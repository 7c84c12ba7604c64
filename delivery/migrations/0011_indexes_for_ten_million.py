from django.db import migrations, models
from django.db.models import Q

from delivery import conf, schema_changes

_COUNTS = ("sent", "delivered", "failed", "dead", "waiting_dead", "waiting_unknown")


class Migration(migrations.Migration):
    """Build the new indexes, which replace those that 0012 drops, and the table of the tallies."""

    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        migrations.swappable_dependency(conf.tenant_model()),
        ("delivery", "0010_provider"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quarter", models.BigIntegerField()),
                ("shard", models.IntegerField()),
                *((name, models.BigIntegerField(default=0)) for name in _COUNTS),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to=conf.tenant_model(),
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "tallies",
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(tenant__isnull=False),
                        fields=("tenant", "quarter", "shard"),
                        name="tally_once",
                    ),
                    models.UniqueConstraint(
                        condition=Q(tenant__isnull=True),
                        fields=("quarter", "shard"),
                        name="tally_of_all_once",
                    ),
                ],
            },
        ),
        schema_changes.SetFillFactor("message", 85),
        schema_changes.SetFillFactor("webhookevent", 90),
        schema_changes.AddUniqueConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("to_number", "tenant", "batch"), name="message_once_per_number"
            ),
        ),
        schema_changes.AddIndex(
            model_name="message",
            index=models.Index(
                condition=Q(status__in=("accepted", "dead", "sending", "sent", "unknown"))
                | Q(asks_to_stop=True),
                fields=["status", "updated_at", "error_code"],
                name="message_watched",
            ),
        ),
        schema_changes.AddIndex(
            model_name="message",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="message_of_tenant"),
        ),
        schema_changes.AddIndex(
            model_name="message",
            index=models.Index(
                condition=Q(recipient__isnull=False),
                fields=["recipient", "-id"],
                name="message_of_recipient",
            ),
        ),
        schema_changes.AddIndex(
            model_name="message",
            index=models.Index(
                condition=Q(batch__isnull=False),
                fields=["batch", "-id"],
                name="message_of_batch",
            ),
        ),
        schema_changes.AddIndex(
            model_name="message",
            index=models.Index(
                condition=Q(status__in=("dead", "unknown"), discarded_at__isnull=True)
                | Q(asks_to_stop=True),
                fields=["tenant", "-dead_since", "-id"],
                name="message_for_people",
            ),
        ),
        schema_changes.AddIndex(
            model_name="webhookevent",
            index=models.Index(fields=["provider_id"], name="webhook_event_provider_id"),
        ),
    ]
