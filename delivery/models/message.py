from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from delivery import conf
from delivery.models.queue import DUE_STATUSES, FOR_PEOPLE, WAITS, WATCHED, MessageQuerySet
from delivery.models.transitions import Transitions
from delivery.statuses import Status


class Direction(models.TextChoices):
    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Encoding(models.TextChoices):
    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


class Priority(models.IntegerChoices):
    """A lower number is sent first."""

    REPLY = 0
    """Single messages and replies: a person waits for them."""
    BULK = 10
    """Messages of a batch."""


def loose_reference_to_user() -> models.ForeignKey[Any, Any]:
    """Return a reference that the deletion of a user leaves alone: it then names nobody.

    To empty it would rewrite every message of that user, and need an index for that alone. Join the
    user (``select_related``): the join finds None.
    """
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, blank=True, related_name="+",
        db_constraint=False, db_index=False,
    )  # fmt: skip


class Message(Transitions, models.Model):
    """An outbound or inbound message. Its row is also its entry in the queue.

    ``batch`` and ``thread`` are keys of the host project; this app does not interpret them.
    """

    # Indexes below begin with these two.
    tenant = models.ForeignKey(
        conf.tenant_model(), models.CASCADE, related_name="messages", db_index=False
    )
    recipient = models.ForeignKey(
        conf.recipient_model(), models.SET_NULL, null=True, blank=True, related_name="messages",
        db_index=False,
    )  # fmt: skip
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.OUTBOUND)
    status = models.CharField(max_length=11, choices=Status, default=Status.QUEUED)
    to_number = models.CharField(max_length=16)
    from_number = models.CharField(max_length=16)
    text = models.TextField(blank=True)
    template = models.TextField(blank=True, default="", db_default="")
    """The text before it was rendered, if it must be rendered again when due; else empty."""
    recipient_gone = models.BooleanField(default=False, db_default=False)
    """The recipient was deleted: the message must not be sent, nor shown in another recipient's history."""
    media_urls = models.JSONField(default=list, blank=True)
    encoding = models.CharField(max_length=5, choices=Encoding, default=Encoding.GSM7)
    parts = models.PositiveSmallIntegerField(default=1)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.REPLY)
    batch = models.BigIntegerField(null=True, blank=True)
    thread = models.BigIntegerField(null=True, blank=True)
    author = loose_reference_to_user()

    created_at = models.DateTimeField()
    scheduled_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    """Inbound: when a person of the tenant read it."""
    updated_at = models.DateTimeField()

    asks_to_stop = models.BooleanField(default=False, db_default=False)
    """Inbound: it looks like a request to stop the messages, without a STOP word."""

    # The queue: the claim reads these columns, settle writes them.
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    call_started_at = models.DateTimeField(null=True, blank=True)
    """Set before the API call. If a lease expires while it is set, the outcome is ambiguous."""
    claimed_from = models.CharField(max_length=11, choices=Status, blank=True)
    """The status before a worker claimed it; users see this status while it is ``sending``."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """Attempts used up in this generation; a 429 or a hold uses up none."""
    calls = models.PositiveIntegerField(default=0)
    """The number of API calls in all generations; it numbers the attempt rows."""
    ambiguous = models.BooleanField(default=False)
    """A call of this generation had no answer, and no later call or report has settled it."""
    claims = models.PositiveSmallIntegerField(default=0)
    """The number of claims since the last outcome; five are a crash loop."""
    generation = models.PositiveSmallIntegerField(default=1)
    """Part of the Idempotency-Key. It is raised only when a person orders a new send."""

    counted_generation = models.PositiveSmallIntegerField(default=0, db_default=0)
    """The last generation that was counted against the tenant's daily cap; 0: never counted."""

    edits = models.PositiveSmallIntegerField(default=0, db_default=0)
    """The number of changes by people while it was scheduled: its version, for ``If-Match``."""

    callback_origin = models.CharField(max_length=200, blank=True)
    """The origin in this message's webhook URL. It is fixed: a retry must send the same bytes."""

    trace = models.UUIDField(null=True, blank=True)
    """The trace of the request that created it (W3C Trace Context); none for a scheduled batch."""

    provider = models.CharField(
        max_length=32, default=conf.default_provider, db_default=conf.first_provider()
    )
    """The alias of the provider account, from ``DELIVERY["PROVIDERS"]``. The database's default is for
    the release before, which does not know the column."""
    # Null, because empty values would break the constraint.
    provider_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    provider_status_at = models.DateTimeField(null=True, blank=True)
    """``occurred_at`` of the newest provider status that was applied."""
    error_code = models.CharField(max_length=40, blank=True)
    error_title = models.CharField(max_length=200, blank=True)
    error_class = models.CharField(max_length=20, blank=True)

    dead_since = models.DateTimeField(null=True, blank=True)
    reviewed_by = loose_reference_to_user()
    reviewed_at = models.DateTimeField(null=True, blank=True)
    discarded_at = models.DateTimeField(null=True, blank=True)
    discarded_reason = models.CharField(max_length=500, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        permissions = [
            ("find_message", "Can find any message by its number, with number and text hidden"),
            ("reveal_message", "Can reveal number and text of any message"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="message_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(direction=Direction.INBOUND, status=Status.RECEIVED)
                | (Q(direction=Direction.OUTBOUND) & ~Q(status=Status.RECEIVED)),
                name="message_inbound_is_received",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=Status.SENDING, lease_token__isnull=False, lease_until__isnull=False
                )
                | (
                    ~Q(status=Status.SENDING)
                    & Q(lease_token__isnull=True, lease_until__isnull=True)
                ),
                name="message_sending_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=DUE_STATUSES) | Q(next_attempt_at__isnull=False),
                name="message_waiting_is_due_some_time",
            ),
            # The id first: the release before looks messages up by the id alone.
            models.UniqueConstraint(
                fields=["provider_id", "provider"], name="message_provider_id_once"
            ),
            # Also the texts to a number: the last one, and the watchdog's search for lost ones.
            models.UniqueConstraint(
                fields=["to_number", "tenant", "batch"], name="message_once_per_number"
            ),
        ]
        # Each update of a status writes an entry into every index whose condition the row meets: at
        # most ten indexes, with the primary key and the unique ones (decision 0058).
        indexes = [
            # The queue, the turns and the claim: per priority, provider account and tenant.
            models.Index(
                fields=["priority", "provider", "tenant", "next_attempt_at", "id"],
                condition=WAITS,
                name="message_due_by_provider",
            ),
            # Expired leases, the watchdog, and the lists of the support desk, also those of one error code.
            models.Index(
                fields=["status", "updated_at", "error_code"],
                condition=WATCHED,
                name="message_watched",
            ),
            # Lists: newest first, per tenant, per thread, per recipient, per batch.
            models.Index(fields=["tenant", "-created_at", "-id"], name="message_of_tenant"),
            models.Index(fields=["thread", "-id"], name="message_thread"),
            models.Index(
                fields=["recipient", "-id"],
                condition=Q(recipient__isnull=False),
                name="message_of_recipient",
            ),
            models.Index(
                fields=["batch", "-id"],
                condition=Q(batch__isnull=False),
                name="message_of_batch",
            ),
            # Dead letters, and requests to stop: a person decides.
            models.Index(
                fields=["tenant", "-dead_since", "-id"],
                condition=FOR_PEOPLE,
                name="message_for_people",
            ),
        ]

    def __str__(self) -> str:
        return f"Message {self.pk} ({self.status})"
