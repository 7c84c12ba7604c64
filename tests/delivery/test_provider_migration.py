"""The release before runs beside the new schema: it does not know the provider columns."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from delivery.models import Message, WebhookEvent
from koinonia.models import Church

pytestmark = pytest.mark.django_db


def insert_as_before(row: models.Model) -> None:
    """Insert ``row`` without the column of the provider."""
    fields = [field for field in row._meta.concrete_fields if field.name not in {"id", "provider"}]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    table = connection.ops.quote_name(row._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608


def message(church: Church, provider_id: str | None) -> Message:
    now = timezone.now()
    return Message(
        tenant=church, to_number="+13125550001", from_number=church.phone_number, text="Hello",
        provider_id=provider_id, created_at=now, updated_at=now, next_attempt_at=now,
    )  # fmt: skip


def test_a_message_of_the_release_before_belongs_to_the_first_account(grace: Church) -> None:
    insert_as_before(message(grace, None))
    assert Message.objects.get().provider == "telnyx"


def test_an_id_is_taken_once_by_both_releases(grace: Church) -> None:
    message(grace, "4031").save()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_as_before(message(grace, "4031"))


def test_an_event_is_stored_once_by_both_releases() -> None:
    now = timezone.now()
    event = WebhookEvent(
        event_id="e1", event_type="message.sent", occurred_at=now, received_at=now, payload={}
    )
    insert_as_before(event)
    event.pk = None
    WebhookEvent.objects.bulk_create([event], ignore_conflicts=True)
    assert WebhookEvent.objects.get().provider == "telnyx"
