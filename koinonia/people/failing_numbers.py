"""Members with two failed texts in a row: the number is wrong or out of service."""

from __future__ import annotations

from django.db.models import Case, IntegerField, OuterRef, Q, Subquery, Value, When

from delivery.models import Direction, Message
from delivery.statuses import Status
from koinonia.models.member import MemberQuerySet

_ENDED = (
    Status.DELIVERED, Status.UNCONFIRMED, Status.SENT, Status.FAILED, Status.DEAD,
)  # fmt: skip
_FAILED_FOR_GOOD = Q(status=Status.FAILED, error_class="carrier") | Q(
    status=Status.DEAD, error_class="permanent"
)


def with_failures(members: MemberQuerySet) -> MemberQuerySet:
    """Return the members with ``last_failed`` and ``one_before_failed`` (1, 0 or None).

    The query reads two texts of each member by an index, however long the history is.
    """
    # Only the present number: the office may have corrected it after the failures.
    ended = Message.objects.filter(
        recipient=OuterRef("pk"), to_number=OuterRef("phone"),
        direction=Direction.OUTBOUND, status__in=_ENDED,
    )  # fmt: skip
    failed = Case(
        When(_FAILED_FOR_GOOD, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    of_each = ended.order_by("-pk").annotate(failed=failed).values("failed")
    return members.annotate(
        last_failed=Subquery(of_each[:1]), one_before_failed=Subquery(of_each[1:2])
    )


def failing(members: MemberQuerySet) -> MemberQuerySet:
    """Return the members with two failures in a row; ``members`` come from :func:`with_failures`."""
    return members.filter(**{"last_failed": 1, "one_before_failed": 1})
