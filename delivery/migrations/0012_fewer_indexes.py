from django.conf import settings
from django.db import migrations, models

from delivery import conf, schema_changes


def _nobody(to: str, **options: object) -> models.ForeignKey:
    """Return a reference without a constraint and an index, which a deletion leaves alone."""
    return models.ForeignKey(
        blank=True, null=True, db_constraint=False, db_index=False,
        on_delete=models.DO_NOTHING, related_name=options.get("related_name", "+"), to=to,
    )  # fmt: skip


class Migration(migrations.Migration):
    """Drop the indexes that 0011 replaced, and those that nothing uses."""

    # DROP INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [
        migrations.swappable_dependency(conf.tenant_model()),
        migrations.swappable_dependency(conf.recipient_model()),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("delivery", "0011_indexes_for_ten_million"),
    ]

    operations = [
        schema_changes.RemoveUniqueIndex(model_name="message", name="message_once_per_batch"),
        schema_changes.RemoveIndex(model_name="message", name="message_leased"),
        schema_changes.RemoveIndex(model_name="message", name="message_next_due"),
        schema_changes.RemoveIndex(model_name="message", name="message_list"),
        schema_changes.RemoveIndex(model_name="message", name="message_batch"),
        schema_changes.RemoveIndex(model_name="message", name="message_asks_to_stop"),
        schema_changes.RemoveIndex(model_name="message", name="message_between"),
        schema_changes.RemoveIndex(model_name="message", name="message_dead"),
        schema_changes.RemoveIndex(model_name="message", name="message_on_its_way"),
        schema_changes.RemoveIndex(model_name="message", name="message_unknown"),
        schema_changes.DropFieldIndex(
            model_name="message",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.CASCADE,
                related_name="messages",
                to=conf.tenant_model(),
            ),
        ),
        schema_changes.DropFieldIndex(
            model_name="message",
            name="recipient",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.SET_NULL,
                related_name="messages",
                to=conf.recipient_model(),
            ),
        ),
        schema_changes.DropFieldIndex(
            model_name="attempt",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.CASCADE,
                related_name="attempt_rows",
                to="delivery.message",
            ),
        ),
        schema_changes.DropFieldIndex(
            model_name="optout",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.CASCADE,
                related_name="opt_outs",
                to=conf.tenant_model(),
            ),
        ),
        schema_changes.DropFieldIndex(
            model_name="webhookevent",
            name="provider_id",
            field=models.CharField(blank=True, max_length=64),
        ),
        schema_changes.AlterField(
            model_name="message", name="author", field=_nobody(settings.AUTH_USER_MODEL)
        ),
        schema_changes.AlterField(
            model_name="message", name="reviewed_by", field=_nobody(settings.AUTH_USER_MODEL)
        ),
        schema_changes.AlterField(
            model_name="webhookevent",
            name="message",
            field=_nobody("delivery.message", related_name="webhook_events"),
        ),
    ]
